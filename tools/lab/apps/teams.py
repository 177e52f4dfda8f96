"""Teams' notifications: JSON on a WebSocket over TLS."""

from apps.websocket_app import WebSocketApp


class App(WebSocketApp):
    software = "Teams-shaped chat: TLS and WebSocket by Python's websockets library at both ends"
    modelled = "Teams' messages are JSON of our own; the hello is OpenSSL's"
    name, host_name, path = "teams", "go.trouter.teams.microsoft.com", "/v4/c?con_num=1"
