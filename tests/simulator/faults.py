"""What goes wrong, each as one function with how often it does. A new kind of misfortune is one more line in `FAULTS`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from random import Random
from typing import Any

from tests.simulator.line import Fate, Weather
from tests.simulator.store import Store, Terminal
from tests.simulator.world import World

PAUSE_S = 0.7
Stores = dict[str, Store]


async def parted(world: World, stores: Stores, random: Random) -> None:
    """A store has no line, for a moment or for long."""
    store = random.choice(list(stores.values()))
    store.line.weather.is_parted = True
    await asyncio.sleep(random.choice((0.5, 2.0, 8.0, 25.0)))
    store.line.weather.is_parted = False


async def weather(world: World, stores: Stores, random: Random) -> None:
    """A line gets better or worse."""
    store = random.choice(list(stores.values()))
    scale = random.choice((0.0, 0.05, 0.15))
    odds: dict[Fate, float] = {fate: scale * random.random() for fate in Fate if fate is not Fate.ARRIVES}
    odds[Fate.TWICE] *= 3
    store.line.weather = Weather(odds, random.choice((0.02, 0.1, 1.0)), store.line.weather.is_parted)


def _terminal(stores: Stores, random: Random) -> Terminal | None:
    up = [one for store in stores.values() for one in store.terminals if one.is_up]
    return random.choice(up) if up else None


async def death(world: World, stores: Stores, random: Random) -> None:
    """A store's process ends at some statement that is to come."""
    if terminal := _terminal(stores, random):
        terminal.replica.fuse.dies_after = random.choice((0, random.randrange(8), random.randrange(80)))


async def full_disk(world: World, stores: Stores, random: Random) -> None:
    """There is no room for one write that is to come."""
    if terminal := _terminal(stores, random):
        terminal.replica.fuse.full_after = random.randrange(20)


async def lost_cache(world: World, stores: Stores, random: Random) -> None:
    """Somebody deletes a cache."""
    store = random.choice(list(stores.values()))
    store.lose_cache()
    world.say(f"{store.id} lost its cache")


async def skew(world: World, stores: Stores, random: Random) -> None:
    """A clock is set, wrongly or rightly."""
    store = random.choice(list(stores.values()))
    store.clock.skew = timedelta(minutes=random.choice((0, -1, 3, -200, 300)))


async def centre_death(world: World, stores: Stores, random: Random) -> None:
    """A process of the centre ends in the middle of whatever it does, and another one begins."""
    name = random.choice(list(world.centres))
    centre = world.centres[name]
    if not centre.is_up:
        return
    await centre.die()
    world.say(f"{name} died")
    await asyncio.sleep(random.choice((0.1, 1.0, 4.0)))
    await world.start_centre(name)


async def kept_disk(world: World, stores: Stores, random: Random) -> None:
    """Somebody makes a copy of a disk."""
    random.choice(list(stores.values())).kept.keep()


async def old_disk(world: World, stores: Stores, random: Random) -> None:
    """Somebody puts an old copy of a disk, or of a part of it, in the place of what is there."""
    store = random.choice(list(stores.values()))
    if said := await store.kept.put_back(random):
        world.say(f"{store.id} has old files: {said}")
        world.count(f"old {said}")


FAULTS: dict[str, tuple[int, Callable[[World, Stores, Random], Coroutine[Any, Any, None]]]] = {
    "parted": (4, parted),
    "weather": (4, weather),
    "death": (5, death),
    "full disk": (2, full_disk),
    "lost cache": (1, lost_cache),
    "skew": (2, skew),
    "centre death": (3, centre_death),
    "kept disk": (5, kept_disk),
    "old disk": (5, old_disk),
}


async def misfortune(world: World, stores: Stores) -> None:
    """One after the other, some of them at once, until the story is over."""
    random = world.random("faults")
    # An older disk is a fork, and much is let pass then: two seeds of three stay strict.
    names = [name for name in FAULTS if world.seed % 3 == 0 or "disk" not in name or name == "full disk"]
    weights = [FAULTS[name][0] for name in names]
    async with asyncio.TaskGroup() as tasks:
        while not world.is_over:
            await asyncio.sleep(random.expovariate(1 / PAUSE_S))
            [name] = random.choices(names, weights)
            world.say(f"fault {name}")
            world.count(f"fault {name}")
            tasks.create_task(FAULTS[name][1](world, stores, random))


async def heal(world: World, stores: Stores) -> None:
    """Everything works again; clocks stay as they are."""
    for store in stores.values():
        store.line.weather = Weather()
        for terminal in store.terminals:
            if terminal.is_up:
                terminal.replica.fuse.dies_after = terminal.replica.fuse.full_after = None
    for name, centre in world.centres.items():
        if not centre.is_up:
            await world.start_centre(name)
