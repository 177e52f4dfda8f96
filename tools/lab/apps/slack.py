"""Slack's messages: JSON on a WebSocket over TLS."""

from apps.websocket_app import WebSocketApp


class App(WebSocketApp):
    software = "Slack-shaped chat: TLS and WebSocket by Python's websockets library at both ends"
    modelled = "Slack's messages are JSON of our own with the usual keys; the hello is OpenSSL's"
    name, host_name, path = "slack", "wss-primary.slack.com", "/?token=lab&gateway_server=T0-1"
