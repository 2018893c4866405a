"""On what terms the tests of this folder deliver: a key, little patience, and limits that a few seconds of voice pass."""

from pipeline.patience import Patience

KEY = "sk_car_test_0123456789abcdef"
LENIENT = ("speech.engine=webrtcvad", "extent.minimum_s=1", "extent.target_s=2")
PATIENCE = Patience(tries=3, pause_s=0.01, longest_pause_s=0.05, settle_s=0.3, connect_s=2.0, answer_s=0.5)
