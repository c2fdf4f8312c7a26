"""Factorisations and solves of small real matrices, in LLVM, for matrices that lie row by row.

    lu(a) -> packed, pivots             right-looking, with partial pivoting
    cholesky(a) -> l                    row by row; fails where a is not positive definite
    substitute(t, x)                    x <- t⁻¹ x or t⁻ᵀ x, in place; fails where t is singular
    exchange(pivots, x)                 rows in the order of the pivots, or back

LAPACK takes a microsecond to begin and reads column by column; a matrix of order 6 is factored here
in a tenth of that, and stacks of them without a copy. All inner loops run along rows (Golub & Van
Loan, *Matrix Computations*, algorithms 3.1.3, 3.2.1, 4.2.1 in their row-oriented forms).
"""

from __future__ import annotations

from collections.abc import Callable

from wengert.compiler.code import Code

LANES = 8


class Function(Code):
    """The body of a function on matrices of order %n with elements of `type`."""

    def __init__(self, type: str, declared: dict[str, str]) -> None:
        super().__init__(declared)
        self.type = type
        self.bits = 64 if type == "double" else 32

    def text(self, name: str, parameters: str, result: str = "void") -> str:
        lines = "\n".join(["entry:", *self.entry, *self.lines])
        return f"define internal {result} @{name}({parameters}) nounwind {{\n{lines}\n}}"

    # ----------------------------------------------------------------------------------- memory

    def at(self, base: str, *index: str) -> str:
        """The address of an element; of row i and column j of a matrix of %n columns, or of a row
        of another length as ((i, length), j)."""
        return self.let(f"getelementptr {self.type}, ptr {base}, i64 {self.flat(*index)}")

    def flat(self, *index: str) -> str:
        if len(index) == 1:
            return index[0]
        row, columns, column = index
        return self.let(f"add i64 {self.let(f'mul i64 {row}, {columns}')}, {column}")

    def load(self, base: str, *index: str) -> str:
        return self.let(f"load {self.type}, ptr {self.at(base, *index)}")

    def store(self, value: str, base: str, *index: str) -> None:
        self.put(f"store {self.type} {value}, ptr {self.at(base, *index)}")

    # ------------------------------------------------------------------------------------- loops

    def loop(self, first: str, last: str, body: Callable[[str], None], step: int = 1) -> None:
        """body(i) for i = first, first + step, … while i < last, or i >= last where step is −1."""
        place = self.slot("i64", 8)
        head, inside, end = self.fresh("H"), self.fresh("B"), self.fresh("E")
        self.put(f"store i64 {first}, ptr {place}")
        self.put(f"br label %{head}")
        self.label(head)
        i = self.let(f"load i64, ptr {place}")
        more = self.let(f"icmp {'slt' if step > 0 else 'sge'} i64 {i}, {last}")
        self.put(f"br i1 {more}, label %{inside}, label %{end}")
        self.label(inside)
        body(i)
        self.put(f"store i64 {self.let(f'add i64 {i}, {step}')}, ptr {place}")
        self.put(f"br label %{head}")
        self.label(end)

    def where(self, condition: str, body: Callable[[], None]) -> None:
        inside, end = self.fresh("W"), self.fresh("X")
        self.put(f"br i1 {condition}, label %{inside}, label %{end}")
        self.label(inside)
        body()
        self.put(f"br label %{end}")
        self.label(end)

    def along(self, count: str, body: Callable[[str, str], None]) -> None:
        """body(k, type) along a row: on vectors first, then on single elements."""
        whole = self.let(f"and i64 {count}, {-LANES}")
        self.loop("0", whole, lambda k: body(k, f"<{LANES} x {self.type}>"), LANES)
        self.loop(whole, count, lambda k: body(k, self.type))

    def subtract_row(self, target: str, source: str, factor: str, count: str) -> None:
        """target -= factor · source, along a row."""

        def body(k: str, type: str) -> None:
            wide = self.splat(factor, type)
            a, b = (
                self.let(f"getelementptr {self.type}, ptr {p}, i64 {k}") for p in (target, source)
            )
            x = self.let(f"load {type}, ptr {b}, align {self.bits // 8}")
            y = self.let(f"load {type}, ptr {a}, align {self.bits // 8}")
            product = self.let(f"fmul contract {type} {x}, {wide}")
            rest = self.let(f"fsub contract {type} {y}, {product}")
            self.put(f"store {type} {rest}, ptr {a}, align {self.bits // 8}")

        self.along(count, body)

    def divide_row(self, target: str, by: str, count: str) -> None:
        def body(k: str, type: str) -> None:
            wide = self.splat(by, type)
            a = self.at(target, k)
            x = self.let(f"load {type}, ptr {a}, align {self.bits // 8}")
            quotient = self.let(f"fdiv {type} {x}, {wide}")
            self.put(f"store {type} {quotient}, ptr {a}, align {self.bits // 8}")

        self.along(count, body)

    def splat(self, value: str, type: str) -> str:
        if type == self.type:
            return value
        one = self.let(f"insertelement {type} poison, {self.type} {value}, i64 0")
        return self.let(
            f"shufflevector {type} {one}, {type} poison, <{LANES} x i32> zeroinitializer"
        )

    def product_of_rows(self, a: str, b: str, count: str) -> str:
        """The dot product of the first elements of two rows."""
        total, wide = self.slot(self.type, 8), self.slot(f"<{LANES} x {self.type}>")
        vector = f"<{LANES} x {self.type}>"
        self.put(f"store {vector} zeroinitializer, ptr {wide}")
        self.put(f"store {self.type} 0.0, ptr {total}")

        def body(k: str, type: str) -> None:
            place = total if type == self.type else wide
            p, q = self.at(a, k), self.at(b, k)
            x = self.let(f"load {type}, ptr {p}, align {self.bits // 8}")
            y = self.let(f"load {type}, ptr {q}, align {self.bits // 8}")
            old = self.let(f"load {type}, ptr {place}")
            product = self.let(f"fmul contract {type} {x}, {y}")
            self.put(
                f"store {type} {self.let(f'fadd contract {type} {old}, {product}')}, ptr {place}"
            )

        self.along(count, body)
        lanes = self.let(f"load {vector}, ptr {wide}")
        name = f"llvm.vector.reduce.fadd.v{LANES}f{self.bits}"
        start = self.let(f"load {self.type}, ptr {total}")
        if name not in self.declared:
            self.declared[name] = f"declare {self.type} @{name}({self.type}, {vector})"
        return self.let(f"call reassoc {self.type} @{name}({self.type} {start}, {vector} {lanes})")

    def unary(self, name: str, value: str) -> str:
        return self.call(f"llvm.{name}.f{self.bits}", self.type, (self.type, value))


def lu(type: str, declared: dict[str, str]) -> str:
    """The name of (a, packed, pivots, n): nothing fails, a singular matrix has a zero pivot."""
    name = f"wengert.lu.{type}"
    if name in declared:
        return name
    f = Function(type, declared)
    n, size = "%n", f.let("mul i64 %n, %n")
    f.loop("0", size, lambda k: f.store(f.load("%a", k), "%out", k))

    def column(k: str) -> None:
        pivot, best = f.slot("i64", 8), f.slot(type, 8)
        f.put(f"store i64 {k}, ptr {pivot}")
        f.put(f"store {type} {f.unary('fabs', f.load('%out', k, n, k))}, ptr {best}")
        following = f.let(f"add i64 {k}, 1")

        def compare(i: str) -> None:
            size = f.unary("fabs", f.load("%out", i, n, k))
            larger = f.let(f"fcmp ogt {type} {size}, {f.let(f'load {type}, ptr {best}')}")

            def take() -> None:
                f.put(f"store {type} {size}, ptr {best}")
                f.put(f"store i64 {i}, ptr {pivot}")

            f.where(larger, take)

        f.loop(following, n, compare)
        row = f.let(f"load i64, ptr {pivot}")
        place = f.let(f"getelementptr i32, ptr %pivots, i64 {k}")
        f.put(f"store i32 {f.let(f'trunc i64 {row} to i32')}, ptr {place}")
        f.where(f.let(f"icmp ne i64 {row}, {k}"), lambda: _swap(f, "%out", row, k, n))
        diagonal = f.load("%out", k, n, k)

        def below(i: str) -> None:
            factor = f.let(f"fdiv {type} {f.load('%out', i, n, k)}, {diagonal}")
            f.store(factor, "%out", i, n, k)
            rest = f.let(f"sub i64 %n, {following}")
            f.subtract_row(
                f.at("%out", i, n, following), f.at("%out", k, n, following), factor, rest
            )

        regular = f.let(f"fcmp une {type} {diagonal}, 0.0")
        f.where(regular, lambda: f.loop(following, n, below))

    f.loop("0", n, column)
    f.put("ret void")
    declared[name] = f.text(name, "ptr noalias %a, ptr noalias %out, ptr noalias %pivots, i64 %n")
    return name


def _swap(f: Function, x: str, a: str, b: str, columns: str) -> None:
    """Exchange two rows."""

    def body(k: str) -> None:
        first, second = f.load(x, a, columns, k), f.load(x, b, columns, k)
        f.store(second, x, a, columns, k)
        f.store(first, x, b, columns, k)

    f.loop("0", columns, body)


def cholesky(type: str, declared: dict[str, str]) -> str:
    """The name of (a, out, n) -> 1 where a is not positive definite, else 0."""
    name = f"wengert.cholesky.{type}"
    if name in declared:
        return name
    f = Function(type, declared)
    n = "%n"
    failed = f.slot("i64", 8)
    f.put(f"store i64 0, ptr {failed}")

    def row(i: str) -> None:
        def element(j: str) -> None:
            inner = f.product_of_rows(f.at("%out", i, n, "0"), f.at("%out", j, n, "0"), j)
            rest = f.let(f"fsub {type} {f.load('%a', i, n, j)}, {inner}")
            f.store(f.let(f"fdiv {type} {rest}, {f.load('%out', j, n, j)}"), "%out", i, n, j)

        f.loop("0", i, element)
        own = f.at("%out", i, n, "0")
        rest = f.let(f"fsub {type} {f.load('%a', i, n, i)}, {f.product_of_rows(own, own, i)}")
        bad = f.let(f"fcmp ule {type} {rest}, 0.0")
        f.where(bad, lambda: f.put(f"store i64 1, ptr {failed}"))
        f.store(f.unary("sqrt", rest), "%out", i, n, i)
        f.loop(f.let(f"add i64 {i}, 1"), n, lambda j: f.store("0.0", "%out", i, n, j))

    f.loop("0", n, row)
    f.put(f"ret i64 {f.let(f'load i64, ptr {failed}')}")
    declared[name] = f.text(name, "ptr noalias %a, ptr noalias %out, i64 %n", "i64")
    return name


def substitute(type: str, declared: dict[str, str], lower: bool, turned: bool, unit: bool) -> str:
    """The name of (t, x, n, m) -> 1 where t is singular, else 0: x, of n rows of m, becomes
    t⁻¹ x, or t⁻ᵀ x where t is turned; of t one triangle is read."""
    kind = f"{'lower' if lower else 'upper'}{'.turned' if turned else ''}{'.unit' if unit else ''}"
    name = f"wengert.substitute.{kind}.{type}"
    if name in declared:
        return name
    f = Function(type, declared)
    n, m = "%n", "%m"
    failed = f.slot("i64", 8)
    f.put(f"store i64 0, ptr {failed}")

    def others(i: str, body: Callable[[str], None]) -> None:
        """The columns of the triangle beside the diagonal."""
        if lower:
            f.loop("0", i, body)
        else:
            f.loop(f.let(f"add i64 {i}, 1"), n, body)

    def scaled(i: str) -> None:
        if unit:
            return
        diagonal = f.load("%t", i, n, i)
        zero = f.let(f"fcmp oeq {type} {diagonal}, 0.0")
        f.where(zero, lambda: f.put(f"store i64 1, ptr {failed}"))
        f.divide_row(f.at("%x", i, m, "0"), diagonal, m)

    def subtracted(from_row: str, row: str, factor: str) -> None:
        f.subtract_row(f.at("%x", from_row, m, "0"), f.at("%x", row, m, "0"), factor, m)

    def step(i: str) -> None:
        if turned:
            scaled(i)
            others(i, lambda j: subtracted(j, i, f.load("%t", i, n, j)))
        else:
            others(i, lambda j: subtracted(i, j, f.load("%t", i, n, j)))
            scaled(i)

    if lower != turned:
        f.loop("0", n, step)
    else:
        f.loop(f.let("sub i64 %n, 1"), "0", step, -1)
    f.put(f"ret i64 {f.let(f'load i64, ptr {failed}')}")
    declared[name] = f.text(name, "ptr noalias %t, ptr noalias %x, i64 %n, i64 %m", "i64")
    return name


def exchange(type: str, declared: dict[str, str], back: bool) -> str:
    """The name of (pivots, x, n, m): the rows of x exchanged as those of the matrix were."""
    name = f"wengert.exchange{'.back' if back else ''}.{type}"
    if name in declared:
        return name
    f = Function(type, declared)

    def step(k: str) -> None:
        place = f.let(f"getelementptr i32, ptr %pivots, i64 {k}")
        row = f.let(f"sext i32 {f.let(f'load i32, ptr {place}')} to i64")
        f.where(f.let(f"icmp ne i64 {row}, {k}"), lambda: _swap(f, "%x", row, k, "%m"))

    if back:
        f.loop(f.let("sub i64 %n, 1"), "0", step, -1)
    else:
        f.loop("0", "%n", step)
    f.put("ret void")
    declared[name] = f.text(name, "ptr noalias %pivots, ptr noalias %x, i64 %n, i64 %m")
    return name
