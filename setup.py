"""What pyproject.toml cannot say: the wheel carries examples/, which `wengert demo` runs."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROGRAMS = (
    "step_table.py",
    "closed_forms.py",
    "cities.py",
    "network.py",
    "forward_or_reverse.py",
    "zero_order.py",
    "hutchinson.py",
    "memory_budget.py",
    "data/cities.csv",
)


class BuildWithExamples(build_py):
    """Copies the programs of the demonstration to wengert/_examples; a checkout has them beside."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source, target in self._copies():
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target))

    def get_source_files(self) -> list[str]:
        return super().get_source_files() + [str(source) for source, _ in self._copies()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return super().get_outputs(include_bytecode) + [str(target) for _, target in self._copies()]

    def _copies(self) -> list[tuple[Path, Path]]:
        folder = Path(self.build_lib, "wengert", "_examples")
        return [(Path("examples", name), folder / name) for name in PROGRAMS]


setup(cmdclass={"build_py": BuildWithExamples})
