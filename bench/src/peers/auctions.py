"""Generalized second-price and VCG auctions, all rows sorted at once, and the auction loop of amzn/auction-gym."""

import sys

import numpy as np
from serve import seconds, serve

ROWS = 1 << 14  # of one pass: its arrays stay in the cache, which is twice as fast as all rows at once
state = {}


def load(bids, advertisers, participants, discounts):
    state["bids"] = np.fromfile(bids, np.float64).reshape(-1, participants)
    state["advertisers"] = np.fromfile(advertisers, np.uint32).astype(np.int64).reshape(-1, participants)
    state["discounts"] = np.array(discounts)
    state["count"] = int(state["advertisers"].max()) + 1


def run_numpy(format):
    def body():
        discounts, count = state["discounts"], state["count"]
        slots = len(discounts)
        drops = discounts - np.append(discounts[1:], 0)
        spend = np.zeros(count)
        value = np.zeros(count)
        for start in range(0, len(state["bids"]), ROWS):
            bids = state["bids"][start : start + ROWS]
            order = np.argsort(-bids, axis=1, kind="stable")[:, : slots + 1]
            ranked = np.take_along_axis(bids, order, axis=1)
            rivals = ranked[:, 1:]
            if format == "gsp":
                paid = discounts * rivals
            else:
                paid = np.cumsum((drops * rivals)[:, ::-1], axis=1)[:, ::-1]
            winners = np.take_along_axis(state["advertisers"][start : start + ROWS], order[:, :slots], axis=1)
            spend += np.bincount(winners.ravel(), paid.ravel(), count)
            value += np.bincount(winners.ravel(), (discounts * ranked[:, :slots]).ravel(), count)
        state["spend"], state["value"] = spend, value

    return seconds(body)


def load_auction_gym(folder):
    sys.path.insert(0, f"{folder}/src")
    from AuctionAllocation import SecondPrice

    state["mechanism"] = SecondPrice()


def run_auction_gym(slots):
    """One auction after the other, as its simulate_opportunity does once bids are in: allocate, then charge the winners."""

    def body():
        mechanism = state["mechanism"]
        spend = [0.0] * state["count"]
        revenue = 0.0
        for bids, advertisers in zip(state["bids"], state["advertisers"]):
            winners, prices, _ = mechanism.allocate(bids, slots)
            for winner, price in zip(winners, prices):
                spend[advertisers[winner]] += price
                revenue += price
        state["spend"] = np.array(spend)

    return seconds(body)


def write_spend(path):
    state["spend"].tofile(path)


serve(
    {
        "load": load,
        "run_numpy": run_numpy,
        "load_auction_gym": load_auction_gym,
        "run_auction_gym": run_auction_gym,
        "write_spend": write_spend,
    }
)
