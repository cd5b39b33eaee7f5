"""Which features are on for one client: what the configuration says, unless the client says otherwise."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from khojd.config import Features
from khojd.server import uris
from khojd.server.feature import Event, Feature, always, capability, nothing, registrations
from khojd.server.wire import CONVERTER

if TYPE_CHECKING:
    from khojd.server.session import Session

log = logging.getLogger(__name__)

NAMES: tuple[str, ...] = tuple(field.name for field in msgspec.structs.fields(Features))
_PREFIX = "khojd-feature-"


class Toggles:
    """The switches of a session, and what of its features the client knows.

    A feature that is on at `initialize` is offered in the reply, and answers nothing while it is off later on. One that is switched
    on later is registered with the client where it can take that (dynamicRegistration), and unregistered again.
    """

    def __init__(self, session: Session, features: Sequence[Feature]) -> None:
        self._session = session
        self._features = features
        self._hello: dict[str, bool] = {}  # initializationOptions.khoj.features
        self._settings: dict[str, bool] = {}  # workspace/didChangeConfiguration, or what the client was asked for
        self._options: dict[str, Mapping[str, Any]] = {}
        self._were: dict[str, bool] = {}  # at the last refresh
        self._offered: set[str] = set()  # features that stand in the reply to `initialize`
        self._registered: dict[str, list[str]] = {}  # methods, by feature

    def on(self, name: str) -> bool:
        """Whether the switch `name` of the `[features]` table is on for this client."""
        for layer in (self._settings, self._hello):
            if name in layer:
                return layer[name]
        return bool(getattr(self._session.engine.config.features, name))

    # --- at the start -------------------------------------------------------------------------------------------------------

    def start(self, hello: Mapping[str, Any]) -> tuple[set[str], dict[str, Any]]:
        """Put all handlers in place; the methods that `initialize` offers, and their options."""
        self._hello = self._read(hello, "initializationOptions.khoj.features")
        methods: set[str] = set()
        options: dict[str, Any] = {}
        for feature in self._features:
            self._options[feature.name] = feature.options(self._session)
            for method, handler in feature.handlers.items():
                self._session.protocol.fm.features[method] = self._switched(feature.name, method, handler)
            self._were[feature.name] = self.on(feature.name)
            if self._were[feature.name]:
                self._offered.add(feature.name)
                methods.update(method for method in feature.handlers if feature.offered.get(method, always)(self._session))
                options.update(self._options[feature.name])
        return methods, options

    def _switched(self, name: str, method: str, handler: Any) -> Any:
        async def answer(params: Any) -> Any:
            on = self.on(name) and not uris.elsewhere(_document(params))
            return await handler(self._session, params) if on else nothing(method, params)

        return answer

    # --- while running ------------------------------------------------------------------------------------------------------

    def configure(self, settings: Any) -> None:
        """Take what the client's settings say under `khoj`; what they no longer say is as it was without them."""
        features = settings.get("features") if isinstance(settings, dict) else None
        self._settings = self._read(features or {}, "settings.khoj.features")
        self.refresh()

    def refresh(self) -> None:
        """Tell the client and the features of switches that are no longer what they were."""
        for feature in self._features:
            on = self.on(feature.name)
            if on == self._were[feature.name]:
                continue
            self._were[feature.name] = on
            log.info("%s: %s is %s", self._session.label, feature.name, "on" if on else "off")
            if feature.name not in self._offered:
                self._session.spawn(self._register(feature) if on else self._unregister(feature), f"switching {feature.name}")
            if feature.follow is not None:
                feature.follow(self._session, "on" if on else "off", "")

    def follow(self, event: Event, path: str = "") -> None:
        """Pass an event on to the features that are on."""
        for feature in self._features:
            if feature.follow is not None and self.on(feature.name):
                feature.follow(self._session, event, path)

    async def _register(self, feature: Feature) -> None:
        wanted = {
            method: _plain(options, method)
            for method, options in registrations(feature, self._options[feature.name]).items()
            if self._session.can(f"{capability(method)}.dynamic_registration")
        }
        if not wanted:
            self._session.tell(f"{feature.name} is on; the editor asks for it from its next start", lsp.MessageType.Info)
            return
        self._registered[feature.name] = list(wanted)
        items = [lsp.Registration(id=_PREFIX + method, method=method, register_options=how) for method, how in wanted.items()]
        try:
            await self._session.client_register_capability_async(lsp.RegistrationParams(registrations=items))
        except JsonRpcException as error:
            self._registered.pop(feature.name, None)
            self._session.tell(f"the editor does not take {feature.name} while it runs: {error}")

    async def _unregister(self, feature: Feature) -> None:
        items = [lsp.Unregistration(id=_PREFIX + method, method=method) for method in self._registered.pop(feature.name, ())]
        if items:
            try:
                await self._session.client_unregister_capability_async(lsp.UnregistrationParams(unregisterations=items))
            except JsonRpcException as error:
                log.info("%s: %s stays registered: %s", self._session.label, feature.name, error)

    # --- reading ------------------------------------------------------------------------------------------------------------

    def _read(self, values: Any, where: str) -> dict[str, bool]:
        """The switches among `values`; whatever else is there is told to the client."""
        if not isinstance(values, Mapping):
            self._session.tell_later(f"{where} must be an object of switches, e.g. {{ hover: false }}")
            return {}
        found = {}
        for key, value in values.items():
            name = re.sub(r"(?<=[a-z])[A-Z]", lambda upper: "_" + upper[0], str(key)).replace("-", "_").lower()
            if name not in NAMES:
                close = difflib.get_close_matches(name, NAMES, n=1)
                meant = f"did you mean {close[0]}?" if close else f"known are {', '.join(NAMES)}"
                self._session.tell_later(f"{where}: unknown feature {key}; {meant}")
            elif not isinstance(value, bool):
                self._session.tell_later(f"{where}.{key} is {value!r:.40}; it must be true or false")
            else:
                found[name] = value
        return found


def _document(params: Any) -> str:
    """The URI of the document that a request is about, "" where there is none."""
    return str(getattr(getattr(params, "text_document", None), "uri", ""))


def _plain(options: dict[str, Any], method: str) -> dict[str, Any]:
    """Registration options as JSON. A null selector stands for the documents that the client attached us to."""
    plain: dict[str, Any] = {"documentSelector": None} if method.startswith("textDocument/") else {}
    own = CONVERTER.unstructure(options.pop("", None))
    return {**plain, **(own if isinstance(own, dict) else {}), **CONVERTER.unstructure(options)}
