"""Messages of brokers' feeds as tables, from their sheets; ``tests/data/vectors/protobuf.json``
has recorded packets of them (Groww's without the NATS around it)."""

from __future__ import annotations

from openalgo_desktop.brokers.kit.feed.protobuf import Schema

UPSTOX = Schema(
    {
        "FeedResponse": {
            1: ("type", "int32"), 2: ("feeds", "map string Feed"), 3: ("currentTs", "int64"),
            4: ("marketInfo", "MarketInfo"),
        },
        "Feed": {
            1: ("ltpc", "LTPC"), 2: ("fullFeed", "FullFeed"),
            3: ("firstLevelWithGreeks", "FirstLevelWithGreeks"), 4: ("requestMode", "int32"),
        },
        "LTPC": {
            1: ("ltp", "double"), 2: ("ltt", "int64"), 3: ("ltq", "int64"), 4: ("cp", "double"),
        },
        "FullFeed": {1: ("marketFF", "MarketFullFeed"), 2: ("indexFF", "IndexFullFeed")},
        "MarketFullFeed": {
            1: ("ltpc", "LTPC"), 2: ("marketLevel", "MarketLevel"),
            3: ("optionGreeks", "OptionGreeks"), 4: ("marketOHLC", "MarketOHLC"),
            5: ("atp", "double"), 6: ("vtt", "int64"), 7: ("oi", "double"), 8: ("iv", "double"),
            9: ("tbq", "double"), 10: ("tsq", "double"),
        },
        "IndexFullFeed": {1: ("ltpc", "LTPC"), 2: ("marketOHLC", "MarketOHLC")},
        "MarketLevel": {1: ("bidAskQuote", "repeated Quote")},
        "Quote": {
            1: ("bidQ", "int64"), 2: ("bidP", "double"), 3: ("askQ", "int64"),
            4: ("askP", "double"),
        },
        "OptionGreeks": {
            1: ("delta", "double"), 2: ("theta", "double"), 3: ("gamma", "double"),
            4: ("vega", "double"), 5: ("rho", "double"),
        },
        "MarketOHLC": {1: ("ohlc", "repeated OHLC")},
        "OHLC": {
            1: ("interval", "string"), 2: ("open", "double"), 3: ("high", "double"),
            4: ("low", "double"), 5: ("close", "double"), 6: ("vol", "int64"), 7: ("ts", "int64"),
        },
        "FirstLevelWithGreeks": {
            1: ("ltpc", "LTPC"), 2: ("firstDepth", "Quote"), 3: ("optionGreeks", "OptionGreeks"),
            4: ("vtt", "int64"), 5: ("oi", "double"), 6: ("iv", "double"),
        },
        "MarketInfo": {1: ("segmentStatus", "map string int32")},
    }
)  # fmt: skip

GROWW = Schema(
    {
        "Response": {
            1: ("symbol", "string"), 2: ("segment", "int32"), 3: ("exchange", "int32"),
            4: ("stockLivePrice", "LivePrice"), 5: ("stocksMarketDepth", "Depth"),
        },
        "LivePrice": {
            1: ("tsInMillis", "double"), 2: ("open", "double"), 3: ("high", "double"),
            4: ("low", "double"), 5: ("close", "double"), 6: ("volume", "double"),
            7: ("value", "double"), 13: ("ltp", "double"), 14: ("openInterest", "double"),
        },
        "Depth": {
            1: ("tsInMillis", "double"), 2: ("buyBook", "map int32 Book"),
            3: ("sellBook", "map int32 Book"),
        },
        "Book": {1: ("price", "double"), 2: ("qty", "double")},
        "OrderDetails": {2: ("order", "Order")},
        "Order": {
            1: ("qty", "int32"), 2: ("price", "int64"), 7: ("growwOrderId", "string"),
            8: ("exchangeOrderId", "string"), 9: ("orderStatus", "int32"),
            22: ("contractId", "string"),
        },
    }
)  # fmt: skip

NUBRA = Schema(
    {
        "Any": {1: ("type_url", "string"), 2: ("value", "bytes")},
        "Indexes": {
            1: ("timestamp", "int64"), 2: ("indexes", "repeated Index"),
            3: ("instruments", "repeated Index"),
        },
        "Index": {
            1: ("indexname", "string"), 2: ("timestamp", "int64"), 3: ("index_value", "int64"),
            4: ("high", "int64"), 5: ("low", "int64"), 6: ("volume", "int64"),
            7: ("changepercent", "float"), 9: ("prev_close", "int64"), 10: ("exchange", "string"),
        },
        "Orderbooks": {2: ("instruments", "repeated Orderbook")},
        "Orderbook": {
            1: ("inst_id", "int64"), 2: ("timestamp", "int64"), 3: ("bids", "repeated Level"),
            4: ("asks", "repeated Level"), 5: ("ltp", "int64"), 6: ("ltq", "int64"),
            7: ("volume", "int64"), 8: ("ref_id", "int64"),
        },
        "Level": {1: ("price", "int64"), 2: ("quantity", "int64"), 3: ("orders", "int64")},
    }
)  # fmt: skip

HDFC = Schema(
    {
        "GenericDTOList": {1: ("items", "repeated GenericDTO")},
        "GenericDTO": {
            1: ("instrumentId", "int64"), 2: ("mbpData", "MBPData"), 7: ("sequenceNo", "int64"),
            8: ("packetTimestamp", "int64"), 9: ("packetType", "int32"),
        },
        "MBPData": {
            1: ("lastTradedPrice", "double"), 2: ("lastTradeTime", "int64"), 5: ("open", "double"),
            9: ("volume", "int64"), 12: ("depth", "DepthList"), 17: ("oi", "int64"),
        },
        "DepthList": {1: ("levels", "repeated Level")},
        "Level": {
            1: ("qty", "int64"), 2: ("price", "double"), 3: ("orders", "int32"),
            4: ("buyFlag", "bool"),
        },
    }
)  # fmt: skip

FYERS = Schema(
    {
        "SocketMessage": {
            1: ("type", "int32"), 2: ("feeds", "map string MarketFeed"), 3: ("snapshot", "bool"),
        },
        "MarketFeed": {
            5: ("depth", "Depth"), 6: ("feed_time", "Value"), 8: ("token", "string"),
            10: ("snapshot", "bool"), 11: ("ticker", "string"),
        },
        "Depth": {
            1: ("tbq", "Value"), 2: ("tsq", "Value"), 3: ("asks", "repeated MarketLevel"),
            4: ("bids", "repeated MarketLevel"),
        },
        "MarketLevel": {
            1: ("price", "Value"), 2: ("qty", "Value"), 3: ("nord", "Value"), 4: ("num", "Value"),
        },
        "Value": {1: ("value", "int64")},
    }
)  # fmt: skip
