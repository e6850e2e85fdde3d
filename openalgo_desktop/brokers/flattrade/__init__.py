"""Flattrade (PiConnect), a member of the Noren family."""

from openalgo_desktop.brokers.families.noren import Member, noren
from openalgo_desktop.brokers.families.noren.master import plain
from openalgo_desktop.brokers.families.noren.member import CHUNKS
from openalgo_desktop.brokers.kit.spec import Call, Op, Rate
from openalgo_desktop.core.enums import Interval

BROKER = noren(
    Member(
        id="flattrade",
        title="Flattrade",
        docs="https://pi.flattrade.in/docs",
        root="https://piconnect.flattrade.in/PiConnectAPI",
        feed="wss://piconnect.flattrade.in/PiConnectWSAPI",
        site="https://flattrade.s3.ap-south-1.amazonaws.com",
        hosts={"auth": "https://authapi.flattrade.in"},
        authorize="https://auth.flattrade.in/?app_key={app_key}",
        checksum="sha256:{app_key}{code}{api_secret}",  # another order than that of the family
        token_call=Call(
            Op(
                method="POST",
                path="/trade/apitoken",
                host="auth",
                encoding="json",
                public=True,
                body={
                    "api_key": "$app_key",
                    "request_code": "$code",
                    "api_secret": "$checksum",
                },
            ),
            {"access_token": "token", "jkey": "token", "client_id": "client"},
        ),
        master=plain(
            "/scripmaster",
            NSE=("NSE_Equity",),
            NFO=("Nfo_Equity_Derivatives", "Nfo_Index_Derivatives"),
            CDS=("Currency_Derivatives",),
            MCX=("Commodity",),
            BSE=("BSE_Equity",),
            BFO=("Bfo_Index_Derivatives", "Bfo_Equity_Derivatives"),
        ),
        limits={"all": (Rate(40), Rate(200, 60)), "orders": (Rate(10),)},
        body_key=True,
        data_account=True,
        book_results=True,
        stands_for_all=True,
        intervals=tuple(interval for interval in CHUNKS if interval is not Interval.H4),
    )
)
