"""The functions of scipy.special that cannot be traced, each with the reason.

They refuse traced arrays by name; on other arrays they are SciPy's own.
"""

from __future__ import annotations

from typing import Any, NoReturn

from scipy import special

from wengert.errors import Unsupported
from wengert.graph.registry import NUMPY
from wengert.scipy.namespace import REASONS

_COUNTS = "it gives whole numbers, or tables for whole numbers, which have no derivative"
_NODES = "it computes nodes and weights from whole numbers, which have no derivative"
_OBJECT = "it makes a polynomial object from a degree; eval_… of the same name is traced"
_TABLE = "it gives all orders up to one at once; the function of one order is traced"
_SPHEROIDAL = "derivatives of spheroidal wave functions by their parameters have no closed form"
_MATHIEU = "derivatives of Mathieu functions by their parameters have no closed form"
_NONCENTRAL = "noncentral distributions have no closed derivatives by their parameters"
_CYLINDER = "parabolic cylinder functions have no record yet"
_LEGENDRE = "Legendre functions of all degrees have no record yet; eval_legendre is traced"
_KOLMOGOROV = "the density of this distribution is no function of SciPy's"
_INACCURATE = "SciPy's values are only accurate to about 1e-8, less than derivatives ask for"

REFUSED: dict[str, str] = {
    **dict.fromkeys(
        (
            *("ai_zeros", "bei_zeros", "beip_zeros", "ber_zeros", "berp_zeros", "bi_zeros"),
            *("erf_zeros", "fresnel_zeros", "fresnelc_zeros", "fresnels_zeros", "jn_zeros"),
            *("jnjnp_zeros", "jnp_zeros", "jnyn_zeros", "kei_zeros", "keip_zeros"),
            *("kelvin_zeros", "ker_zeros", "kerp_zeros", "y0_zeros", "y1_zeros", "y1p_zeros"),
            *("yn_zeros", "ynp_zeros", "bernoulli", "euler", "stirling2"),
            *("factorial2", "factorialk"),
        ),
        _COUNTS,
    ),
    **dict.fromkeys(
        (
            *("roots_legendre", "roots_chebyt", "roots_chebyu", "roots_chebyc", "roots_chebys"),
            *("roots_jacobi", "roots_laguerre", "roots_genlaguerre", "roots_hermite"),
            *("roots_hermitenorm", "roots_gegenbauer", "roots_sh_legendre", "roots_sh_chebyt"),
            *("roots_sh_chebyu", "roots_sh_jacobi", "p_roots", "t_roots", "u_roots", "c_roots"),
            *("s_roots", "j_roots", "l_roots", "la_roots", "h_roots", "he_roots", "cg_roots"),
            *("ps_roots", "ts_roots", "us_roots", "js_roots"),
        ),
        _NODES,
    ),
    **dict.fromkeys(
        (
            *("legendre", "chebyt", "chebyu", "chebyc", "chebys", "jacobi", "laguerre"),
            *("genlaguerre", "hermite", "hermitenorm", "gegenbauer", "sh_legendre"),
            *("sh_chebyt", "sh_chebyu", "sh_jacobi"),
        ),
        _OBJECT,
    ),
    **dict.fromkeys(("riccati_jn", "riccati_yn", "lmbda", "lqmn", "lqn"), _TABLE),
    **dict.fromkeys(("pbdn_seq", "pbdv_seq", "pbvv_seq"), _TABLE),
    **dict.fromkeys(("pbdv", "pbvv", "pbwa"), _CYLINDER),
    **dict.fromkeys(
        (
            *("obl_ang1", "obl_ang1_cv", "obl_cv", "obl_rad1", "obl_rad1_cv", "obl_rad2"),
            *("obl_rad2_cv", "obl_cv_seq", "pro_ang1", "pro_ang1_cv", "pro_cv", "pro_rad1"),
            *("pro_rad1_cv", "pro_rad2", "pro_rad2_cv", "pro_cv_seq"),
        ),
        _SPHEROIDAL,
    ),
    **dict.fromkeys(
        (
            *("mathieu_a", "mathieu_b", "mathieu_cem", "mathieu_sem", "mathieu_modcem1"),
            *("mathieu_modcem2", "mathieu_modsem1", "mathieu_modsem2", "mathieu_even_coef"),
            "mathieu_odd_coef",
        ),
        _MATHIEU,
    ),
    **dict.fromkeys(
        (
            *("chndtr", "chndtridf", "chndtrinc", "chndtrix", "ncfdtr", "ncfdtri"),
            *("ncfdtridfd", "ncfdtridfn", "ncfdtrinc", "nctdtr", "nctdtridf", "nctdtrinc"),
            "nctdtrit",
        ),
        _NONCENTRAL,
    ),
    **dict.fromkeys(
        (
            *("lpmv", "assoc_legendre_p", "assoc_legendre_p_all", "legendre_p"),
            *("legendre_p_all", "sph_harm_y", "sph_harm_y_all", "sph_legendre_p"),
            "sph_legendre_p_all",
        ),
        _LEGENDRE,
    ),
    **dict.fromkeys(("kolmogorov", "kolmogi", "smirnov", "smirnovi"), _KOLMOGOROV),
    "itairy": _INACCURATE,
    "modfresnelm": "the modified Fresnel integrals have no record yet; fresnel is traced",
    "modfresnelp": "the modified Fresnel integrals have no record yet; fresnel is traced",
    "ellip_harm": "ellipsoidal harmonics have no closed derivatives by their parameters",
    "ellip_harm_2": "ellipsoidal harmonics have no closed derivatives by their parameters",
    "ellip_normal": "ellipsoidal harmonics have no closed derivatives by their parameters",
    "zetac": "the derivative of Riemann's zeta function has no closed form",
}


REFUSALS: set[Any] = set()
"""The implementations that refuse."""


def _refuse(name: str, reason: str) -> None:
    function = getattr(special, name, None)
    if function is None or function in NUMPY:
        return

    def refusal(*args: Any, **kwargs: Any) -> NoReturn:
        raise Unsupported(
            f"scipy.special.{name} cannot be traced: {reason}. Wrap it with wengert.primitive to "
            "state its derivative yourself"
        )

    refusal.__name__ = name
    NUMPY[function] = refusal
    REFUSALS.add(refusal)
    REASONS[function] = reason


for _name, _reason in REFUSED.items():
    _refuse(_name, _reason)
