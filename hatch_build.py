"""Compile `pipeline/kernels/c` into the wheel, or beside its source for an editable install, where a C compiler is found.

Without one the package is built all the same and computes in NumPy.
"""

import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("pipeline/kernels/c")
MODULE = "pipeline.kernels.compiled"
TAG = "cp311-abi3"
FLAGS = ["-O3", "-ffp-contract=off", "-std=gnu99"]  # contracted sums would differ from machine to machine


class CompiledKernels(BuildHookInterface[Any]):
    """hatchling's hook of that name."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are gathered."""
        built = self._built()
        if built is None:
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"{TAG}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        build_data["force_include"][str(built)] = built.relative_to(self.root).as_posix()

    def _built(self) -> Path | None:
        from setuptools import Distribution, Extension

        sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
        extension = Extension(MODULE, sources, extra_compile_args=FLAGS, py_limited_api=True, optional=True)
        command = Distribution({"name": "kernels", "ext_modules": [extension]}).get_command_obj("build_ext")
        with tempfile.TemporaryDirectory() as room:
            command.inplace, command.build_temp, command.build_lib = True, room, room
            command.ensure_finalized()
            built = Path(self.root) / command.get_ext_fullpath(MODULE)
            built.unlink(missing_ok=True)  # one of other sources would be used
            command.run()
        if not built.exists():
            self.app.display_warning(
                "no C compiler (GCC or Clang) could build it, so voxgate will compute in NumPy, which is slower"
            )
            return None
        return built
