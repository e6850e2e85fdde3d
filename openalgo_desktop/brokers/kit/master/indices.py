"""Unified names of indices from the names that brokers use."""

from __future__ import annotations

import re

_NOT_NAME = re.compile(r"[\s_-]+")

#: Squeezed upper-case names (no blanks, hyphens) that have another unified name.
_NSE = {
    "NIFTY50": "NIFTY",
    "NIFTYBANK": "BANKNIFTY",
    "NIFTYFINSERVICE": "FINNIFTY",
    "NIFTYFINANCIALSERVICES": "FINNIFTY",
    "NIFTYNEXT50": "NIFTYNXT50",
    "NIFTYMIDSELECT": "MIDCPNIFTY",
    "NIFTYMIDCAPSELECT": "MIDCPNIFTY",
    "NIFTYMCAP50": "NIFTYMIDCAP50",
    "NIFTYMIDSMALLCAP400": "NIFTYMIDSML400",
    "NIFTYSMALLCAP50": "NIFTYSMLCAP50",
    "NIFTYSMALLCAP100": "NIFTYSMLCAP100",
    "NIFTYSMALLCAP250": "NIFTYSMLCAP250",
}
_BSE = {
    "SNSX50": "SENSEX50",
    "BSESENSEX50": "SENSEX50",
    "BSESENSEX": "SENSEX",
    "BSEBANKEX": "BANKEX",
    "SNXT50": "BSESENSEXNEXT50",
    "AUTO": "BSEAUTO",
    "BSECG": "BSECAPITALGOODS",
    "CARBON": "BSECARBONEX",
    "BSECD": "BSECONSUMERDURABLES",
    "CPSE": "BSECPSE",
    "DOL30": "BSEDOLLEX30",
    "DOL100": "BSEDOLLEX100",
    "DOL200": "BSEDOLLEX200",
    "ENERGY": "BSEENERGY",
    "BSEFMC": "BSEFASTMOVINGCONSUMERGOODS",
    "BSEFMCG": "BSEFASTMOVINGCONSUMERGOODS",
    "FINSER": "BSEFINANCIALSERVICES",
    "GREENX": "BSEGREENEX",
    "BSEHC": "BSEHEALTHCARE",
    "INFRA": "BSEINDIAINFRASTRUCTUREINDEX",
    "INDSTR": "BSEINDUSTRIALS",
    "BSEIT": "BSEINFORMATIONTECHNOLOGY",
    "LRGCAP": "BSELARGECAP",
    "METAL": "BSEMETAL",
    "MIDCAP": "BSEMIDCAP",
    "MIDSEL": "BSEMIDCAPSELECTINDEX",
    "MID150": "BSE150MIDCAPINDEX",
    "LMI250": "BSE250LARGEMIDCAPINDEX",
    "MSL400": "BSE400MIDSMALLCAPINDEX",
    "OILGAS": "BSEOIL&GAS",
    "POWER": "BSEPOWER",
    "BSEPSU": "BSEPSU",
    "PSU": "BSEPSU",
    "REALTY": "BSEREALTY",
    "SMLCAP": "BSESMALLCAP",
    "SMLSEL": "BSESMALLCAPSELECTINDEX",
    "SMEIPO": "BSESMEIPO",
    "TECK": "BSETECK",
    "TELCOM": "BSETELECOM",
}


def index_symbol(name: str, exchange: str) -> str:
    """The unified symbol of an index on ``NSE_INDEX``, ``BSE_INDEX`` and the like."""
    squeezed = _NOT_NAME.sub("", name).upper()
    table = _BSE if exchange == "BSE_INDEX" else _NSE if exchange == "NSE_INDEX" else {}
    return table.get(squeezed, squeezed)
