"""Functions of other people's packages, with a scalar made of each and a point to differentiate at.

Lengths, pressures and the like come in units in which they are about 1, so that one step serves the
differences of all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A function by its full name; a scalar function of it and of the point."""

    name: str
    use: Callable[[Any, Any], Any]
    point: np.ndarray[Any, Any]

    def function(self) -> Any:
        """What the name means."""
        parts = self.name.split(".")
        for k in range(len(parts), 0, -1):
            try:
                found = importlib.import_module(".".join(parts[:k]))
            except ModuleNotFoundError as error:
                if k == 1 or not ".".join(parts[:k]).startswith(str(error.name)):
                    raise
                continue
            for part in parts[k:]:
                found = getattr(found, part)
            return found
        raise LookupError(self.name)


CASES: list[Case] = []


def case(name: str, *point: Any) -> Callable[[Callable[[Any, Any], Any]], Any]:
    def register(use: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        CASES.append(Case(name, use, np.array(point, float)))
        return use

    return register


def total(result: Any) -> Any:
    """A scalar of arrays and tuples of them, of which each element counts otherwise."""
    if isinstance(result, tuple):
        return sum((k + 1) * total(part) for k, part in enumerate(result))
    size = int(np.size(result))
    return np.sum(np.reshape(result, size) * (1.0 + np.arange(size)))


def plain(*names: str, point: tuple[float, ...], scale: float = 1.0) -> None:
    """Functions of as many numbers as the point has."""
    for name in names:
        case(name, *point)(lambda f, x: total(f(*x)) * scale)


def of_array(*names: str, point: Any) -> None:
    """Functions of one array."""
    for name in names:
        case(name, *point)(lambda f, x: total(f(x)))


# ------------------------------------------------------------------------------------- SciPy

of_array("scipy.optimize.rosen", "scipy.optimize.rosen_der", "scipy.optimize.rosen_hess",
         point=(1.3, 0.7, 0.8))  # fmt: skip
case("scipy.optimize.rosen_hess_prod", 1.3, 0.7, 0.8)(lambda f, x: total(f(x, x)))
case("scipy.optimize.newton", 2.0, 3.0)(lambda f, x: f(lambda z: z * z - x[0] * x[1], 1.0))


def _decay(x: Any) -> Any:
    return lambda t, y: [-x[0] * y[0], x[0] * y[0] - x[1] * y[1]]


for method in ("RK45", "RK23", "DOP853"):
    case(f"scipy.integrate.{method}", 0.7, 1.2)(
        lambda f, x: total(
            importlib.import_module("scipy.integrate")
            .solve_ivp(_decay(x), (0.0, 2.0), [1.0, x[0]], method=f, rtol=1e-8, atol=1e-10)
            .y[:, -1]
        )
    )
case("scipy.integrate.solve_ivp", 0.7, 1.2)(
    lambda f, x: total(f(_decay(x), (0.0, 2.0), [1.0, x[0]], t_eval=[0.5, 1.5], rtol=1e-8).y)
)
case("scipy.integrate.quad_vec", 0.7, 1.2)(
    lambda f, x: f(lambda t: np.exp(-x[0] * t) * x[1] + t, 0, 1)[0]
)
case("scipy.integrate.fixed_quad", 0.7, 1.2)(
    lambda f, x: f(lambda t: np.sin(x[0] * t) * x[1], 0, 1)[0]
)
for name in ("trapezoid", "simpson", "cumulative_trapezoid", "cumulative_simpson", "romb"):
    case(f"scipy.integrate.{name}", 0.7, 1.2, 3.0, 4.0, 5.0)(lambda f, x: total(f(x**2, dx=0.5)))

SHAPES: dict[str, tuple[float, ...]] = {
    "norm": (), "t": (3.5,), "gamma": (2.2,), "expon": (), "laplace": (), "cauchy": (),
    "lognorm": (0.7,), "weibull_min": (1.5,), "gumbel_r": (), "chi2": (3.0,), "rayleigh": (),
    "invgamma": (2.0,), "f": (3.0, 5.0), "gennorm": (1.3,), "skewnorm": (0.5,), "hypsecant": (),
    "maxwell": (), "vonmises": (1.3,), "halfnorm": (), "invgauss": (0.7,), "logistic": (),
}  # fmt: skip
for family, shapes in SHAPES.items():
    case(f"scipy.stats.{family}.logpdf", 0.3, 0.8, 1.7)(
        lambda f, x, shapes=shapes: total(
            f(x, *shapes, loc=0.1 * x[0] - 0.1, scale=1.0 + x[1] ** 2)
        )
    )
plain("scipy.stats.beta.logpdf", point=(0.3, 2.2, 1.4))
plain("scipy.stats.norm.cdf", "scipy.stats.norm.logsf", point=(0.3, 0.2, 1.4))
plain("scipy.stats.norm.ppf", point=(0.3, 0.2, 1.4))
case("scipy.stats.poisson.logpmf", 0.3, 0.8)(lambda f, x: total(f(np.array([1, 2]), x)))
case("scipy.stats.binom.logpmf", 0.3, 0.8)(lambda f, x: total(f(2, 5, x)))
of_array("scipy.stats.zscore", "scipy.stats.skew", "scipy.stats.kurtosis", "scipy.stats.gmean",
         "scipy.stats.hmean", "scipy.stats.sem", "scipy.stats.entropy",
         point=(0.3, 0.8, 1.7, 3.0))  # fmt: skip
case("scipy.interpolate.lagrange", 0.3, 0.8, 0.7)(lambda f, x: f([0.0, 1.0, 2.0], x)(1.5))
case("scipy.interpolate.BarycentricInterpolator", 0.3, 0.8, 0.7)(
    lambda f, x: f([0.0, 1.0, 2.0], x)(1.5)
)
case("scipy.interpolate.KroghInterpolator", 0.3, 0.8, 0.7)(lambda f, x: f([0.0, 1.0, 2.0], x)(1.5))
case("scipy.signal.windows.general_gaussian", 1.3, 0.8)(lambda f, x: total(f(5, x[0], x[1])))
case("scipy.signal.chirp", 0.3, 0.8)(lambda f, x: total(f(x, 1.0, 2.0, 3.0)))

# -------------------------------------------------------------------------------- statistics


def _model(of: Any, y: Any) -> Any:
    rng = np.random.default_rng(0)
    design = rng.normal(size=(20, 2))
    return of(getattr(rng, y)(*_LAWS[y], 20).astype(float), design)


_LAWS: dict[str, tuple[Any, ...]] = {"binomial": (1, 0.5), "poisson": (2.0,)}
for name, law in (("Logit", "binomial"), ("Probit", "binomial"), ("Poisson", "poisson")):
    case(f"statsmodels.discrete.discrete_model.{name}", 0.3, 0.5)(
        lambda f, x, law=law: _model(f, law).loglike(x)
    )
case("statsmodels.discrete.discrete_model.NegativeBinomial", 0.3, 0.5, 0.7)(
    lambda f, x: _model(f, "poisson").loglike(x)
)
case("statsmodels.regression.linear_model.OLS", 0.3, 0.5)(
    lambda f, x: _model(f, "poisson").loglike(x)
)
case("sklearn.metrics.pairwise.rbf_kernel", 0.3, 0.5, 0.7, 0.2)(
    lambda f, x: total(f(x.reshape(2, 2)))
)
case("sklearn.metrics.mean_squared_error", 0.3, 0.5)(lambda f, x: f([1.0, 2.0], x))
case("sklearn.gaussian_process.kernels.RationalQuadratic", 0.3, 0.5)(
    lambda f, x: total(f(x[0], x[1])(np.array([[1.0], [2.0]])))
)

# ------------------------------------------------------------------- filters, fits, benchmarks

case("filterpy.stats.gaussian", 0.3, 0.8, 0.5)(lambda f, x: f(x[0], x[1], x[2]))
case("filterpy.kalman.predict", 0.3, 0.8)(
    lambda f, x: total(f(x, np.eye(2) * x[0], F=np.array([[1.0, 1.0], [0.0, 1.0]]), Q=x[1]))
)
case("filterpy.kalman.update", 0.3, 0.8)(
    lambda f, x: total(f(np.array([0.1, 0.2]), np.eye(2), x[0], x[1], H=np.array([[1.0, 0.0]])))
)


@case("filterpy.kalman.KalmanFilter", 2.0, 0.5, 0.1)
def _log_likelihood(f: Any, x: Any) -> Any:
    filter = f(dim_x=2, dim_z=1)
    filter.x = np.array([0.0, 1.0])
    filter.F = np.array([[1.0, 1.0], [0.0, 1.0]])
    filter.H = np.array([[1.0, 0.0]])
    filter.P = filter.P * x[0]
    filter.R = filter.R * x[1]
    filter.Q = np.eye(2) * x[2]
    likelihood = 0.0
    for z in (1.1, 2.3, 2.9):
        filter.predict()
        filter.update(z)
        likelihood = likelihood + filter.log_likelihood
    return likelihood


GRID = np.linspace(-1.0, 2.0, 7)
for name in ("gaussian", "lorentzian", "voigt", "pvoigt", "moffat", "students_t", "breit_wigner"):
    case(f"lmfit.lineshapes.{name}", 1.2, 0.3, 0.8)(lambda f, x: total(f(GRID, x[0], x[1], x[2])))
case("lmfit.models.GaussianModel", 1.2, 0.3, 0.8)(
    lambda f, x: total(f().eval(x=GRID, amplitude=x[0], center=x[1], sigma=x[2]))
)
of_array("cma.ff.rosen", "cma.ff.elli", "cma.ff.rastrigin", "cma.ff.griewank",
         point=(1.2, 0.3, 0.8))  # fmt: skip

# ------------------------------------------------------------------- the earth and the sky

case("pymap3d.geodetic2ecef", 0.3, 0.8, 1.0)(lambda f, x: total(f(x[0], x[1], 100 * x[2])) * 1e-6)
case("pymap3d.geodetic2enu", 0.42, -0.82, 2.0)(
    lambda f, x: total(f(100 * x[0], 100 * x[1], 100 * x[2], 42.1, -81.9, 100.0)) * 1e-5
)
case("pymap3d.ecef2geodetic", 0.6, 0.3, 0.8)(
    lambda f, x: total(f(1e7 * x[0], 1e7 * x[1], 1e7 * x[2])[:2]) * 0.01
)
case("pymap3d.geodetic2aer", 0.43, -0.82, 2.0)(
    lambda f, x: total(f(100 * x[0], 100 * x[1], 100 * x[2], 42.1, -81.9, 100.0)) * 1e-5
)
case("geographiclib.geodesic.Geodesic", 40.0, -73.0, 51.0, 1.0)(
    lambda f, x: f.WGS84.Inverse(x[0], x[1], x[2], x[3])["s12"] * 1e-6
)
case("haversine.haversine.haversine", 45.0, 4.0, 48.0, 2.0)(
    lambda f, x: f((x[0], x[1]), (x[2], x[3])) * 1e-3
)
case("utm.to_latlon", 0.34, 5.71)(lambda f, x: total(f(x[0] * 1e6, x[1] * 1e6, 32, "U")))
for name in ("eq_of_time", "sun_apparent_long"):
    case(f"astral.sun.{name}", 2.0)(lambda f, x: f(1e-3 * x[0]))
plain("pvlib.solarposition.declination_spencer71", point=(30.0,))
plain("pvlib.iam.ashrae", "pvlib.iam.physical", "pvlib.atmosphere.get_relative_airmass",
      point=(40.0,))  # fmt: skip
case("pvlib.irradiance.aoi", 0.3, 1.8)(lambda f, x: f(100 * x[0], 100 * x[1], 40.0, 170.0))
case("pvlib.irradiance.haydavies", 1.0, 7.0)(
    lambda f, x: f(30.0, 180.0, 100 * x[0], 100 * x[1], 1360.0, 40.0, 170.0) * 0.01
)
case("pvlib.temperature.sapm_cell", 8.0, 2.0)(
    lambda f, x: f(100 * x[0], 10 * x[1], 2.0, -3.56, -0.075, 3.0)
)
case("pvlib.singlediode.bishop88", 0.3)(lambda f, x: total(f(x[0], 5.0, 1e-9, 0.3, 300.0, 1.5)))
case("thermofeel.calculate_saturation_vapour_pressure", 3.05)(lambda f, x: total(f(100 * x)))
case("thermofeel.calculate_wbt", 3.05, 0.6)(lambda f, x: total(f(100 * x[:1], 100 * x[1:])))

# ------------------------------------------------------------------------- thermodynamics


def _moist_air(f: Any, *arguments: Any) -> Any:
    psychrolib = importlib.import_module("psychrolib")
    psychrolib.SetUnitSystem(psychrolib.SI)
    return f(*arguments)


case("psychrolib.GetTDewPointFromRelHum", 2.5, 0.6)(lambda f, x: _moist_air(f, 10 * x[0], x[1]))
case("psychrolib.GetSatVapPres", 2.5)(lambda f, x: _moist_air(f, 10 * x[0]) * 1e-3)
case("psychrolib.GetHumRatioFromRelHum", 2.5, 0.6)(
    lambda f, x: _moist_air(f, 10 * x[0], x[1], 101325.0) * 100
)
case("fluids.friction.friction_factor", 1.0, 0.01)(lambda f, x: f(Re=1e5 * x[0], eD=x[1]))
case("fluids.friction.Colebrook", 1.0, 0.01)(lambda f, x: f(1e5 * x[0], x[1]))
case("fluids.atmosphere.ATMOSPHERE_1976", 5.0)(lambda f, x: f(1e3 * x[0]).rho)
case("fluids.packed_bed.Ergun", 0.4, 0.1)(
    lambda f, x: f(dp=8e-4, voidage=x[0], vs=x[1], rho=1e3, mu=1e-3) * 1e-5
)
case("chemicals.vapor_pressure.Antoine", 3.0)(
    lambda f, x: f(100 * x[0], 8.95894, 510.595, -15.95) * 1e-5
)
case("chemicals.vapor_pressure.Lee_Kesler", 3.0)(
    lambda f, x: f(100 * x[0], 425.6, 5.8e6, 0.23) * 1e-5
)
case("chemicals.volume.Rackett", 2.7)(lambda f, x: f(100 * x[0], 369.83, 4248000.0, 0.2763) * 1e5)
case("chemicals.rachford_rice.Rachford_Rice_solution", 0.5, 0.3, 0.2)(
    lambda f, x: f([x[0], x[1], x[2]], [1.685, 0.742, 0.532])[0]
)
case("ht.conv_internal.Nu_conv_internal", 1.0, 0.7)(lambda f, x: f(Re=1e5 * x[0], Pr=x[1]) * 0.01)
plain("ht.core.LMTD", point=(100.0, 60.0, 30.0, 40.0))
case("ht.hx.effectiveness_from_NTU", 5.0, 0.7)(
    lambda f, x: f(NTU=x[0], Cr=x[1], subtype="counterflow")
)
case("iapws.iapws97._PSat_T", 3.5)(lambda f, x: f(100 * x[0]) * 10)
case("iapws.iapws97._Region1", 3.0, 0.3)(lambda f, x: f(100 * x[0], x[1])["h"] * 0.01)

# ----------------------------------------------------------------- rotations, colours, money

case("transforms3d.euler.euler2mat", 0.3, 0.5, 0.7)(lambda f, x: total(f(x[0], x[1], x[2])))
of_array("transforms3d.quaternions.quat2mat", "pyrr.matrix33.create_from_quaternion",
         "pyrr.vector.normalize", point=(0.3, 0.5, 0.7, 0.2))  # fmt: skip
case("transforms3d.quaternions.qmult", 0.3, 0.5, 0.7, 0.2)(lambda f, x: total(f(x, x)))
case("transforms3d.axangles.axangle2mat", 0.3, 0.5, 0.7, 0.2)(lambda f, x: total(f(x[:3], x[3])))
case("pyrr.matrix44.create_from_x_rotation", 0.3)(lambda f, x: total(f(x[0])))
case("ahrs.common.orientation.q_prod", 0.3, 0.5, 0.7, 0.2)(lambda f, x: total(f(x, x)))
case("ahrs.common.orientation.q2R", 0.3, 0.5, 0.7, 0.2)(
    lambda f, x: total(f(x / np.linalg.norm(x)))
)
case("colorspacious.cspace_convert", 0.3, 0.5, 0.7)(
    lambda f, x: total(f(x, "sRGB1", "CIELab")) + total(f(x, "sRGB1", "CAM02-UCS"))
)
case("colorspacious.deltaE", 0.3, 0.5, 0.7)(
    lambda f, x: f(x, np.array([0.1, 0.2, 0.3]), input_space="sRGB1")
)
case("numpy_financial.npv", 0.05, 100.0, 200.0)(lambda f, x: f(x[0], [-200.0, x[1], x[2]]))
case("numpy_financial.pmt", 0.05, 100.0)(lambda f, x: f(x[0], 12, x[1]))
case("numpy_financial.fv", 0.05, 100.0)(lambda f, x: f(x[0], 12, -x[1], -x[1]))
case("vollib.black_scholes.black_scholes", 1.0, 0.95, 0.3, 0.2)(
    lambda f, x: f("c", 100 * x[0], 100 * x[1], x[2], 0.02, x[3])
)
