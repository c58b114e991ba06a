"""A salary from the cells that hold its parts: amounts and currency as given, or a reason."""

from collections.abc import Mapping as Cells
from typing import Any

from backend.reading import money
from backend.reading.currencies import Sign, agreed, currency
from backend.reading.items import Draft, Unreadable, quoted
from backend.reading.mapping import Mapping

SALARY = "salary_range"
SUMS = (f"{SALARY}.min", f"{SALARY}.max")
CURRENCY = f"{SALARY}.currency"


def put_salary(draft: Draft, cells: Cells[str, Any], mapping: Mapping) -> None:
    """`cells` by path: the whole range, its parts, or both. Nothing is put where nothing is said."""
    before = len(draft.faults)
    signs: list[Sign] = []
    try:
        for path, value in in_parts(cells):
            try:
                put_part(draft, path, value, mapping, signs)
            except money.OtherPeriod:
                raise
            except Unreadable as reason:
                draft.refuse(path, str(reason))
                draft.put(path, value)
    except money.OtherPeriod as reason:
        draft.fields.pop(SALARY, None)
        if mapping.other_periods == "refuse":
            draft.refuse(SALARY, f"{reason}. To send the posting without its salary: other_periods:=omit")
            for path, value in cells.items():
                draft.put(path, value)
        return
    if SALARY in draft.fields and len(draft.faults) == before:
        settle(draft, signs)


def in_parts(cells: Cells[str, Any]) -> list[tuple[str, Any]]:
    """JSON may hold the whole as an object."""
    whole = cells.get(SALARY)
    if not isinstance(whole, dict):
        return list(cells.items())
    parts = {f"{SALARY}.{name}": value for name, value in whole.items() if value is not None}
    return list({**parts, **{path: value for path, value in cells.items() if path != SALARY}}.items())


def put_part(draft: Draft, path: str, value: Any, mapping: Mapping, signs: list[Sign]) -> None:
    if path == CURRENCY:
        signs.append(currency(value))
    elif path not in {SALARY, *SUMS}:
        # Of an object in JSON; that there is no such field is for the server to say.
        draft.put(path, value)
    elif pay := money.pay(value, mapping.mark):
        signs.append(pay.currencies)
        if path == SALARY:
            draft.put(SUMS[0], pay.low)
            draft.put(SUMS[1], pay.high)
        else:
            draft.put(path, one_sum(pay, value))


def one_sum(pay: money.Pay, value: Any) -> float | None:
    if pay.low is not None and pay.high is not None and pay.low != pay.high:
        raise Unreadable(f"Two amounts where one is expected: {quoted(value)}; map the column to {SALARY}")
    return pay.high if pay.low is None else pay.low


def settle(draft: Draft, signs: list[Sign]) -> None:
    salary = draft.fields[SALARY]
    if not salary.get("min") and not salary.get("max"):
        # 0 to 0 is how some boards write that they were not told.
        del draft.fields[SALARY]
        return
    try:
        currencies = agreed(signs)
    except Unreadable as reason:
        draft.refuse(CURRENCY, str(reason))
        return
    if len(currencies) == 1:
        salary["currency"] = next(iter(currencies))
    elif currencies and "USD" not in currencies:
        draft.refuse(CURRENCY, f"Which of {', '.join(sorted(currencies))}? Say it: {CURRENCY}:=…")
