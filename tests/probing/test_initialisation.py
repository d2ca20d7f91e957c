"""Rules that weights are drawn by, and how columns depend on them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from zcproxy import Proxy, load_proxy
from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.errors import ConfigurationError, ProxyFileError
from zcproxy.models.initialisation import OWN, RULES, initialise
from zcproxy.models.untrained import untrained
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.ranking.scoring import Setting, columns_by_setting, draw_networks, score_networks

TASK = "digits201"
NORM = parse("frobenius_norm(weight)")


def network() -> nn.Sequential:
    layers = [nn.Conv2d(32, 64, 5, groups=2), nn.BatchNorm2d(64), nn.ConvTranspose2d(64, 8, 2), nn.Flatten()]
    found = nn.Sequential(*layers, nn.Linear(400, 300), nn.LayerNorm(300), nn.BatchNorm1d(300, affine=False))
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.fill_(7.0)
    return found


@pytest.mark.parametrize(
    ("rule", "fans"), [("kaiming_normal_fan_in", (400, 400)), ("kaiming_normal_fan_out", (1600, 300)), ("normal", None)]
)
def test_weights_have_the_variance_of_the_rule(rule: str, fans: tuple[int, int] | None) -> None:
    drawn = network()
    torch.manual_seed(0)
    initialise(drawn, rule)
    expected = [1.0, 1.0] if fans is None else [math.sqrt(2.0 / fan) for fan in fans]
    for module, deviation in zip((drawn[0], drawn[4]), expected, strict=True):
        assert module.weight.std().item() == pytest.approx(deviation, rel=0.02)
        assert abs(module.weight.mean().item()) < 0.02 * deviation and not module.bias.any()
    assert (drawn[1].weight == 1).all() and not drawn[1].bias.any()
    assert (drawn[5].weight == 1).all() and not drawn[5].bias.any()
    assert drawn[2].weight.std() > 0 and not drawn[2].bias.any()


def test_its_own_weights_are_left() -> None:
    left = network()
    before = torch.get_rng_state()
    initialise(left, OWN)
    assert all((parameter == 7.0).all() for parameter in left.parameters())
    assert torch.equal(before, torch.get_rng_state())


def test_an_unknown_rule_is_one_line() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown initialisation rule 'kaiming' .*write one of own, kaiming_"):
        initialise(network(), "kaiming")
    with pytest.raises(ConfigurationError, match="unknown initialisation rule"):
        Proxy(parse("total_params"), rule="kaiming")


def test_weights_are_seeded_by_architecture_and_initialisation() -> None:
    task = get_task(TASK)
    one, other = draw_networks(task, 2)

    def weight(architecture: str, initialisation: int, rule: str) -> torch.Tensor:
        return next(untrained(task.build, task.space.name, architecture, initialisation, rule).parameters())

    rule = "kaiming_normal_fan_in"
    before = torch.get_rng_state()
    assert torch.equal(weight(one, 0, rule), weight(one, 0, rule))
    assert torch.equal(before, torch.get_rng_state())
    for architecture, index, name in ((other, 0, rule), (one, 1, rule), (one, 0, "normal"), (one, 0, OWN)):
        assert not torch.equal(weight(one, 0, rule), weight(architecture, index, name))


def test_the_rule_is_part_of_what_columns_depend_on(tmp_path: Path) -> None:
    own = Context(get_task(TASK), batch_size=2)
    assert "rule" not in own.shared()
    contexts = [own, *(replace(own, rule=rule) for rule in RULES if rule != OWN)]
    assert len({context.key for context in contexts}) == len(RULES)
    networks = draw_networks(get_task(TASK), 2)
    tables = [sweep(context, networks, [NORM], cache=tmp_path).values[NORM] for context in contexts]
    assert all(not np.array_equal(tables[0], table) for table in tables[1:])


def test_proxies_of_several_settings_share_a_table(tmp_path: Path) -> None:
    formula = parse("sum(frobenius_norm(weight))")
    proxies = [Proxy(formula, name=rule, rule=rule) for rule in RULES] + [Proxy(formula, name="more", batch_size=4)]
    assert list(columns_by_setting(proxies)) == [*(Setting(8, rule) for rule in RULES), Setting(4, OWN)]
    networks = draw_networks(get_task(TASK), 3)
    together = score_networks(proxies, TASK, networks, population="", cache=tmp_path / "together").scores
    for proxy in proxies:
        alone = score_networks([proxy], TASK, networks, population="", cache=tmp_path / proxy.name).scores
        np.testing.assert_array_equal(alone[proxy.name], together[proxy.name])
    assert (together["normal"] > together[OWN]).all() and np.array_equal(together[OWN], together["more"])


def test_a_file_keeps_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "proxy.json"
    for rule, written in ((OWN, "the model's own"), ("normal", "normal")):
        Proxy(parse("sum(params)"), rule=rule).save(path)
        assert f'"initialisation": "{written}"' in path.read_text()
        assert load_proxy(path).rule == rule
    path.write_text(path.read_text().replace('"normal"', '"odd"'))
    with pytest.raises(ProxyFileError, match=r"something else than one of the model's own, kaiming.*initialisation"):
        load_proxy(path)
