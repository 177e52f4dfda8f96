"""Slack's messages: JSON on a WebSocket over TLS, and calls of its Web API over HTTPS."""

from apps.websocket_app import WebSocketApp
from network import LabError

API = "slack.com"


class App(WebSocketApp):
    """With the setting `api: true` also the Web API, for the verb `post`."""

    software = "Slack-shaped chat: TLS and WebSocket by Python's websockets library at both ends"
    modelled = "Slack's messages are JSON of our own with the usual keys; the hello is OpenSSL's"
    name, host_name, path = "slack", "wss-primary.slack.com", "/?token=lab&gateway_server=T0-1"

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.api_host = stage.host(API) if self.settings.get("api") else None
        self.api = None

    def start_servers(self):
        super().start_servers()
        if self.api_host:
            self.stage.python_agent("internet", "slack-api-server", "apps/slack_api_agent.py", "server",
                                    self.stage.number("slack", "api"), API, ",".join(self.api_host.addresses),
                                    *self.stage.certificate(self.api_host))

    def start_clients(self):
        super().start_clients()
        if self.api_host:
            self.api = self.stage.python_agent("phone", "slack-api-phone", "apps/slack_api_agent.py", "client",
                                               self.stage.number("slack", "api"), API)

    def do_post(self, characters):
        """chat.postMessage: a message that goes by the Web API, not by the WebSocket."""
        if not self.api:
            raise LabError("slack: 'post' needs the setting 'api: true'")
        self.api.ask("call", characters=characters)
