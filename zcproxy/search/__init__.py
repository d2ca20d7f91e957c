"""Searches sub-networks by proxies, costs and measured accuracies. The package can be called: it is `search`."""

from __future__ import annotations

import sys
from types import ModuleType

from zcproxy.contracts.super_network import (
    SuperNetwork as SuperNetwork,
    inherit_slices as inherit_slices,
    slices_of as slices_of,
)
from zcproxy.extras import check_extra, extra

check_extra("search", "a search", "matplotlib")
with extra("search", "a search"):
    from zcproxy.search.configuration import SearchConfiguration as SearchConfiguration
    from zcproxy.search.goals import Limit as Limit, parse_limit as parse_limit
    from zcproxy.search.quantising.quantisation import Quantisation as Quantisation
    from zcproxy.search.quantities.combined import combined as combined
    from zcproxy.search.quantities.networks import Setting as Setting
    from zcproxy.search.results import SearchResult as SearchResult
    from zcproxy.search.run import resume as resume, search as search
    from zcproxy.search.transformers.making import elastic as elastic
    from zcproxy.search.transformers.super_network import ElasticTransformer as ElasticTransformer


class _CallablePackage(ModuleType):
    __call__ = staticmethod(search)


sys.modules[__name__].__class__ = _CallablePackage
