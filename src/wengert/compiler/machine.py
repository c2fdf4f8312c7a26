"""From LLVM's text to machine code: parse, optimise, emit an object file, load it.

Every program goes through an object file, so that what is compiled now and what the disk cache
brings back take one path. Of LLVM's passes those few run that find something in our code, which
states its vectors, unrolls its loops and hoists its loads itself: the pipeline O2 takes more than
twice as long for the same code, and leaks half a megabyte in a module of a thousand lines. Objects
refer to nothing outside themselves but libc's memcpy, memset and the like; all other addresses come
through a table that is passed at run time.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from functools import cache
from threading import RLock
from typing import Any

from wengert.errors import WengertRuntimeError
from wengert.lazy import module

_LOCK = RLock()
"""llvmlite is not safe for threads."""


@cache
def binding() -> Any:
    """llvmlite's binding of LLVM, initialised.

    Numbering values, LLVM may replace an operation on the results of phis by a phi of its own; that
    phi can land in a loop too far out, so that an inner loop goes on with the first value (seen
    with LLVM 22; LLVM's issue 53277 is of the same kind). So that step is turned off.
    """
    llvm = module("llvmlite.binding")
    llvm.set_option("wengert", "-enable-phi-of-ops=false")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def make_target_machine() -> Any:
    """The host: its processor and all its features, code that may be loaded anywhere.

    Code reaches its constants by addresses of 64 bits on x86-64. By 32 bits it would not where they
    are loaded more than 2 GB from it, at which LLVM aborts the process: that happens beside what
    takes much of the address space, as V8 does, on which pictures are drawn, or large arrays. It
    costs small vectors up to 7 %, and others nothing.
    """
    llvm = binding()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="pic",
        codemodel=_code_model(),
    )


def _code_model() -> str:
    return "large" if platform.machine().lower() in ("x86_64", "amd64") else "small"


@cache
def target_machine() -> Any:
    """The one that compiles; each loaded object owns another."""
    return make_target_machine()


@cache
def vector_bytes() -> int:
    """The size of the host's vector registers in bytes: 64, 32 or 16."""
    features = binding().get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


@cache
def host() -> str:
    """What an object file was made for: processor, features, code model, LLVM."""
    llvm = binding()
    version = ".".join(map(str, llvm.llvm_version_info))
    features = llvm.get_host_cpu_features().flatten()
    processor = f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {features}"
    return f"{processor} {_code_model()} LLVM {version}"


INLINING = ("always_inliner",)
"""LLVM's passes for code that is not worth more: what runs once, and long straight code."""
PASSES = (
    "ipsccp",
    "always_inliner",
    "sroa",
    "instruction_combine",
    "new_gvn",
    "dead_store_elimination",
    "simplify_cfg",
)
"""And for all other code."""


def optimised(text: str, passes: Sequence[str] = PASSES) -> Any:
    """The module of this text after LLVM's passes.

    Raises WengertRuntimeError where the text is no valid LLVM, which is a fault of the compiler.
    """
    llvm = binding()
    try:
        # a context of its own: LLVM keeps constants and types for as long as that lives
        parsed = llvm.parse_assembly(text, llvm.create_context())
        parsed.verify()
    except RuntimeError as error:
        raise WengertRuntimeError(f"the compiler wrote code that LLVM refuses: {error}") from None
    manager = llvm.create_new_module_pass_manager()
    for name in passes:
        getattr(manager, f"add_{name}_pass")()
    options = llvm.create_pipeline_tuning_options()
    manager.run(parsed, llvm.create_pass_builder(target_machine(), options))
    return parsed


def object_code(text: str, passes: Sequence[str] = PASSES) -> bytes:
    """The object file of a module given as text, after these of LLVM's passes."""
    with _LOCK:
        return bytes(target_machine().emit_object(optimised(text, passes)))


def assembly(text: str, passes: Sequence[str] = PASSES) -> str:
    """The machine code of a module, as an assembler writes it."""
    with _LOCK:
        return str(target_machine().emit_assembly(optimised(text, passes)))


class Loaded:
    """An object file in memory; its functions live as long as it does."""

    __slots__ = ("_engine",)

    def __init__(self, code: bytes) -> None:
        llvm = binding()
        with _LOCK:
            self._engine = llvm.create_mcjit_compiler(
                llvm.parse_assembly(""), make_target_machine()
            )
            self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """The address of a function."""
        with _LOCK:
            return int(self._engine.get_function_address(name))
