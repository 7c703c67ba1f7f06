import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.tahu.edge.EdgeClient;
import org.eclipse.tahu.edge.api.MetricHandler;
import org.eclipse.tahu.message.SparkplugBPayloadDecoder;
import org.eclipse.tahu.message.SparkplugBPayloadEncoder;
import org.eclipse.tahu.message.model.EdgeNodeDescriptor;
import org.eclipse.tahu.message.model.MessageType;
import org.eclipse.tahu.message.model.Metric;
import org.eclipse.tahu.message.model.Metric.MetricBuilder;
import org.eclipse.tahu.message.model.MetricDataType;
import org.eclipse.tahu.message.model.SparkplugBPayload;
import org.eclipse.tahu.message.model.SparkplugBPayload.SparkplugBPayloadBuilder;
import org.eclipse.tahu.message.model.SparkplugBPayloadMap;
import org.eclipse.tahu.message.model.SparkplugBPayloadMap.SparkplugBPayloadMapBuilder;
import org.eclipse.tahu.message.model.SparkplugDescriptor;
import org.eclipse.tahu.message.model.StatePayload;
import org.eclipse.tahu.message.model.Topic;
import org.eclipse.tahu.model.MqttServerDefinition;
import org.eclipse.tahu.mqtt.ClientCallback;
import org.eclipse.tahu.mqtt.MqttClientId;
import org.eclipse.tahu.mqtt.MqttServerName;
import org.eclipse.tahu.mqtt.MqttServerUrl;
import org.eclipse.tahu.util.TopicUtil;

/**
 * An edge node of Eclipse Tahu's tahu-edge, that may wait for a host: does what each line of the standard input says, in
 * JSON, and answers with a line.
 */
public class TahuNode implements MetricHandler, ClientCallback {
  private static final ObjectMapper JSON =
      new ObjectMapper().configure(JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS, true);

  private final Map<String, List<Metric>> births = new LinkedHashMap<>();
  private Topic deathTopic;
  private EdgeClient client;
  private long bdSeq = -1;

  public static void main(String[] args) throws Exception {
    TahuNode node = new TahuNode();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode command = JSON.readTree(line);
      try {
        node.perform(command.get("do").asText(), command.get("with"));
        System.out.println("done");
      } catch (Exception error) {
        System.out.println(error.toString());
      }
    }
    System.exit(0);
  }

  private void perform(String what, JsonNode with) throws Exception {
    switch (what) {
      case "connect" -> connect(with);
      case "update" -> client.publishNodeData(payload(with));
      case "updateDevice" -> client.publishDeviceData(with.get("device").asText(), payload(with));
      case "disconnect" -> client.disconnect(true);
      default -> throw new IllegalArgumentException(what);
    }
  }

  private void connect(JsonNode with) throws Exception {
    String group = with.get("group").asText();
    String name = with.get("node").asText();
    births.put("", metrics(with, with.get("metrics")));
    List<String> devices = new ArrayList<>();
    for (Map.Entry<String, JsonNode> device : with.get("devices").properties()) {
      devices.add(device.getKey());
      births.put(device.getKey(), metrics(with, device.getValue()));
    }
    deathTopic = new Topic("spBv1.0", group, name, MessageType.NDEATH);
    String url = "tcp://" + with.get("host").asText() + ":" + with.get("port").asInt();
    MqttServerDefinition server = new MqttServerDefinition(new MqttServerName("broker"),
        new MqttClientId("tahu-" + name, false), new MqttServerUrl(url), "user", "password", 30, deathTopic);
    String waitsFor = with.has("waitsFor") ? with.get("waitsFor").asText() : null;
    client = new EdgeClient(this, new EdgeNodeDescriptor(group, name), devices, waitsFor, true, 0L, List.of(server), this, null);
    new Thread(client).start();
  }

  private static SparkplugBPayload payload(JsonNode with) throws Exception {
    return new SparkplugBPayloadBuilder().setTimestamp(new Date()).addMetrics(metrics(with, with.get("metrics")))
        .createPayload();
  }

  private static List<Metric> metrics(JsonNode with, JsonNode given) throws Exception {
    List<Metric> metrics = new ArrayList<>();
    for (JsonNode each : given) {
      String type = each.get(1).asText();
      MetricDataType dataType = (MetricDataType) MetricDataType.class.getField(type).get(null);
      metrics.add(new MetricBuilder(each.get(0).asText(), dataType, value(type, each.get(2)))
          .timestamp(new Date(with.get("timeMs").asLong())).createMetric());
    }
    return metrics;
  }

  private static Object value(String type, JsonNode given) {
    if (given.isNull()) return null;
    return switch (type) {
      case "Int8" -> (byte) given.asInt();
      case "Int16", "UInt8" -> (short) given.asInt();
      case "Int32", "UInt16" -> given.asInt();
      case "Int64", "UInt32" -> given.asLong();
      case "UInt64" -> new BigInteger(given.asText());
      case "Float" -> (float) given.asDouble();
      case "Double" -> given.asDouble();
      case "Boolean" -> given.asBoolean();
      case "DateTime" -> new Date(given.asLong());
      default -> given.asText();
    };
  }

  @Override
  public Topic getDeathTopic() {
    return deathTopic;
  }

  @Override
  public byte[] getDeathPayloadBytes() throws Exception {
    bdSeq += 1;
    SparkplugBPayload death = new SparkplugBPayloadBuilder().setTimestamp(new Date()).createPayload();
    death.addMetric(new MetricBuilder("bdSeq", MetricDataType.Int64, bdSeq).createMetric());
    return new SparkplugBPayloadEncoder().getBytes(death, true);
  }

  @Override
  public void publishBirthSequence() {
    try {
      Date now = new Date();
      SparkplugBPayloadMap birth = new SparkplugBPayloadMapBuilder().setTimestamp(now).createPayload();
      birth.addMetric(new MetricBuilder("bdSeq", MetricDataType.Int64, bdSeq).createMetric());
      birth.addMetric(new MetricBuilder("Node Control/Rebirth", MetricDataType.Boolean, false).createMetric());
      for (Metric metric : births.get("")) birth.addMetric(new MetricBuilder(metric).createMetric());
      client.publishNodeBirth(birth);
      for (String device : births.keySet()) {
        if (device.isEmpty()) continue;
        SparkplugBPayloadBuilder ofDevice = new SparkplugBPayloadBuilder().setTimestamp(now);
        for (Metric metric : births.get(device)) ofDevice.addMetric(new MetricBuilder(metric).createMetric());
        client.publishDeviceBirth(device, ofDevice.createPayload());
      }
    } catch (Exception error) {
      System.err.println(error);
    }
  }

  @Override
  public boolean hasMetric(SparkplugDescriptor descriptor, String name) {
    return true;
  }

  @Override
  public void messageArrived(MqttServerName name, MqttServerUrl url, MqttClientId id, String topic, MqttMessage message) {
    try {
      if (topic.startsWith("spBv1.0/STATE/")) {
        client.handleStateMessage(TopicUtil.parseTopic(topic).getHostApplicationId(),
            JSON.readValue(message.getPayload(), StatePayload.class));
      } else if (topic.contains("/NCMD/")) {
        for (Metric metric : new SparkplugBPayloadDecoder().buildFromByteArray(message.getPayload(), null).getMetrics()) {
          if ("Node Control/Rebirth".equals(metric.getName()) && Boolean.TRUE.equals(metric.getValue())) {
            client.handleRebirthRequest(true);
          }
        }
      }
    } catch (Exception error) {
      System.err.println(error);
    }
  }

  @Override
  public void shutdown() {}

  @Override
  public void connectionLost(MqttServerName name, MqttServerUrl url, MqttClientId id, Throwable cause) {}

  @Override
  public void connectComplete(boolean reconnect, MqttServerName name, MqttServerUrl url, MqttClientId id) {}
}
