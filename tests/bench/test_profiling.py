"""How samples are told apart."""

from tests.bench.profiling import shares


def test_a_stack_belongs_to_the_first_group_whose_word_stands_in_it() -> None:
    under = "main (lianqin);Loop__run (loop.c);"
    told = shares(
        [
            under + "Agent._execute_actor (faust/agents/agent.py:1);answer_to (agents/desk.py:9) 30",
            under + "answer_to (agents/desk.py:9);decide (streams/desk/decide.py:29);get (overlay.py:1) 50",
            under + "Owner.run (streams/ownership/owner.py:1);x (aiokafka/client.py:2) 15",
            under + "timer (uvloop/loop.pyx:1) 5",
            "main (lianqin);import (importlib) 900",
        ]
    )
    assert told == {
        "desk: rules (decide, evolve, indexes)": 50.0,
        "desk: commands read, the rest": 30.0,
        "sockets, protocol": 15.0,
        "event loop, the rest": 5.0,
    }
