"""The table at the end: each figure beside the limit it is held against and the target it should reach.

Two ratios are shown. The one by the clock is what clients see; it is low where other programs use the same cores.
The one by processor time divides what the limit's operation takes by what the server takes for one answer: it tells
what the server's core would do if it had nothing else to do, and hardly changes with the load of the machine.
"""

import json
import platform
import statistics
import sysconfig

from bench.limits import Speed
from bench.load import Result

Results = dict[str, list[Result]]
Yard = dict[str, list[Speed]]
Facts = dict[str, float]

# What is measured, the limit it is held against, and the target (design/PERFORMANCE §5, column "first").
RATIOS: tuple[tuple[str, str, float | None], ...] = (
    ("client_credentials", "rsa", 0.70),
    ("refresh_token", "rsa", 0.35),
    ("authorization_code", "rsa", 0.30),
    ("GetUser", "rsa", 2.5),
    ("userInfo", "rsa", 2.5),
    ("JWKS", "rsa", 8.0),
    ("discovery", "rsa", 8.0),
    ("password sign-in", "argon2", 0.85),
    ("SignUp", "argon2", 0.80),
    ("GetUser, PostgreSQL", "rsa", 1.5),
    ("userInfo, PostgreSQL", "rsa", 1.5),
    ("refresh_token, PostgreSQL", "rsa", None),
    ("authorization_code, PostgreSQL", "rsa", None),
)
ABSOLUTE: tuple[tuple[str, float], ...] = (
    ("SRP sign-in", 200),
    ("AdminCreateUser", 1500),
    ("ListUsers, small", 2500),
    ("ListUsers, large", 2500),
)

# So much more may a page of the large pool cost (design/PERFORMANCE §5).
GROWTH = 1.5


def table(results: Results, yard: Yard, facts: Facts) -> str:
    """Return everything that was measured, as text."""
    limits = _medians(yard)
    lines = [
        f"Python {platform.python_version()} ({_build()}), medians of {facts['rounds']:.0f} rounds",
        "",
        "Limits of this machine, one core",
        *(f"  {name:32} {speed.rate:10,.0f}/s {speed.cpu_rate:10,.0f}/CPU s" for name, speed in limits.items()),
        "",
        f"{'Over HTTP, the server on one core':34} {'rate':>10}   {'ratio':>8} {'by CPU':>8} {'target':>8}",
        *(_ratio(name, results[name], against, limits[against], target) for name, against, target in RATIOS),
        *(_absolute(name, results[name], wanted) for name, wanted in ABSOLUTE),
        *_under_load(results),
        *_growth(results),
        "",
        f"Start to first answer with {facts['users']:,.0f} users {facts['start']:.2f} s (1 s at most)",
        f"Memory idle {facts['memory idle']:.0f} MB (80), after load {facts['memory after load']:.0f} MB (120)",
        f"Users stored in bulk {facts['stored per second']:,.0f}/s (10,000)",
    ]
    return "\n".join(lines)


def as_json(results: Results, yard: Yard, facts: Facts) -> str:
    """Return the medians for programs to read."""
    figures = {name: {"rate": _rate(several), "cpu_each": _cpu_each(several)} for name, several in results.items()}
    limits = {name: speed._asdict() for name, speed in _medians(yard).items()}
    return json.dumps({"limits": limits, "figures": figures, "facts": facts}, indent=2)


def _medians(yard: Yard) -> dict[str, Speed]:
    return {
        name: Speed(statistics.median(one.rate for one in speeds), statistics.median(one.cpu_rate for one in speeds))
        for name, speeds in yard.items()
    }


def _rate(several: list[Result]) -> float:
    return statistics.median(result.rate for result in several)


def _cpu_each(several: list[Result]) -> float:
    return statistics.median(result.cpu_each for result in several)


def _ratio(name: str, several: list[Result], against: str, limit: Speed, target: float | None) -> str:
    rate, each = _rate(several), _cpu_each(several)
    by_clock, by_cpu = rate / limit.rate, 1 / (each * limit.cpu_rate)
    wanted = "" if target is None else f"{target:8.2f} of {against}{'' if by_cpu >= target else '  below'}"
    return f"  {name:32} {rate:10,.0f}/s {by_clock:8.2f} {by_cpu:8.2f} {wanted}"


def _absolute(name: str, several: list[Result], wanted: float) -> str:
    rate, by_cpu = _rate(several), 1 / _cpu_each(several)
    return (
        f"  {name:32} {rate:10,.0f}/s {'':8} {by_cpu:6,.0f}/s {wanted:6,.0f}/s{'' if by_cpu >= wanted else '  below'}"
    )


def _growth(results: Results) -> list[str]:
    """Return what a page of the large pool costs, as a multiple of what it costs in the small one."""
    lines = ["", f"{'A page of the large pool, in pages of the small one':34} by clock   by CPU"]
    for name in [name for name in results if ", large" in name]:
        small, large = results[name.replace(", large", ", small")], results[name]
        by_clock, by_cpu = _rate(small) / _rate(large), _cpu_each(large) / _cpu_each(small)
        late = "" if by_cpu <= GROWTH else "  above"
        lines.append(
            f"  {name.replace(', large', ''):32} {_rate(large):10,.0f}/s {by_clock:8.2f} {by_cpu:8.2f} {GROWTH:8.2f} at most{late}"
        )
    return lines


def _under_load(results: Results) -> list[str]:
    several = results["GetUser under sign-ins"]
    kept = _rate(several) / _rate(results["GetUser"])
    worst = statistics.median(result.percentile(0.99) for result in several) * 1000
    told = f"{_rate(several):10,.0f}/s {kept:8.2f} {'':8} {0.75:8.2f} of idle, p99 {worst:.1f} ms (20)"
    return [f"  {'GetUser under sign-ins':32} {told}"]


def _build() -> str:
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "") or "-O2" in (
        sysconfig.get_config_var("CFLAGS") or ""
    )
    return "optimised build" if optimised else "plain build"
