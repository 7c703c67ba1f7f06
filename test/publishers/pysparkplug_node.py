"""An edge node of pysparkplug: does what each line of the standard input says, in JSON, and answers with a line."""

import base64
import datetime

import pysparkplug as spb
from commands import obey


def value_of(kind, given):
    if kind == "DATETIME":
        return datetime.datetime.fromtimestamp(given / 1000, datetime.timezone.utc)
    if kind in ("BYTES", "FILE"):
        return base64.b64decode(given)
    return given


def metrics_of(time_ms, given):
    return [
        spb.Metric(timestamp=time_ms, name=name, datatype=spb.DataType[kind], value=value_of(kind, value))
        for name, kind, value in given
    ]


class Commands:
    def connect(self, group, node, host, port, timeMs, metrics, devices=None):
        self.node = spb.EdgeNode(group, node, metrics_of(timeMs, metrics))
        for device, of_device in (devices or {}).items():
            self.node.register(spb.Device(device, metrics_of(timeMs, of_device)))
        self.node.connect(host, port=port)

    def update(self, timeMs, metrics):
        self.node.update(metrics_of(timeMs, metrics))

    def updateDevice(self, device, timeMs, metrics):
        self.node.update_device(device, metrics_of(timeMs, metrics))

    def deregister(self, device):
        self.node.deregister(device)

    def disconnect(self):
        self.node.disconnect()


obey(Commands())
