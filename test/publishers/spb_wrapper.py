"""Entities of mqtt-spb-wrapper, with the Python helper of Tahu that it carries: does what each line of the standard
input says, in JSON, and answers with a line."""

from commands import obey
from mqtt_spb_wrapper import MqttSpbEntityDevice, MqttSpbEntityEdgeNode, MqttSpbEntityScada
from mqtt_spb_wrapper.spb_protobuf import MetricDataType


class Commands:
    def node(self, group, node, host, port):
        self.entity = MqttSpbEntityEdgeNode(group, node)
        self._connect(host, port)

    def device(self, group, node, device, host, port, retainBirth=False):
        self.entity = MqttSpbEntityDevice(group, node, device, retain_birth=retainBirth)
        self._connect(host, port)

    def host(self, group, name, host, port):
        self.entity = MqttSpbEntityScada(group, name)
        self._connect(host, port)

    def _connect(self, host, port):
        self.host, self.port = host, port

    def connect(self):
        if not self.entity.connect(self.host, self.port):
            raise ConnectionError("no connection")

    def set(self, timeMs, metrics):
        for name, kind, value in metrics:
            self.entity.data.set_value(name, value, timestamp=timeMs, spb_data_type=getattr(MetricDataType, kind))

    def birth(self):
        self.entity.publish_birth()

    def data(self):
        self.entity.publish_data()

    def disconnect(self):
        self.entity.disconnect()


obey(Commands())
