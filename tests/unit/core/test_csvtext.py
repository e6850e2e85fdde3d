"""CSV: nothing in a cell is run by a spreadsheet, numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest

from openalgo_desktop.core.csvtext import bare_cell, csv_text, pasted_text, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\tx", "\rx"])
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "-1250.50", "+3", "SBIN", "a=b", "'quoted"])
def test_numbers_and_plain_text_stay(text: str) -> None:
    assert safe_cell(text) == text


def test_what_is_pasted_runs_nothing_and_keeps_its_rows() -> None:
    rows = [["Note", "P&L"], ["=HYPERLINK(1)", "-1250.50"], ["two\r\nlines\tand more", "+3"]]
    assert pasted_text(rows) == ("Note\tP&L\n'=HYPERLINK(1)\t-1250.50\ntwo lines and more\t+3")


@pytest.mark.parametrize("text", ["=1+1", "-x", "'quoted", "plain", "", "'", "-5"])
def test_an_apostrophe_of_ours_is_taken_off_again(text: str) -> None:
    assert bare_cell(safe_cell(text)) == text


def test_cells_with_commas_and_quotes_come_back() -> None:
    rows = [["a,b", 'say "x"'], ["two\nlines", "=1"]]
    found = list(csv.reader(io.StringIO(csv_text(rows), newline="")))
    assert found == [["a,b", 'say "x"'], ["two\nlines", "'=1"]]


def test_numbers_stay_and_formulas_do_not_run() -> None:
    for number in ("-5", "+1", "-1.25", "-1,23,456.50", "-2.5%", "1e5", "-1E-9"):
        assert safe_cell(number) == number
    for formula in ("-1+cmd|' /C calc'!A0", "=1", "\n=1", "＝1+1", "+x", "@SUM(1)", "-inf", "--5"):
        assert safe_cell(formula) == f"'{formula}"
