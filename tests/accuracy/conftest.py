"""The harness is scripts beside each other; its tests import them as the scripts do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
