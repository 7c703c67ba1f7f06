import type { Mapping, RowMapping } from './mapping.ts';

export interface Preset {
  /** Whose messages these are. */
  readonly publisher: string;
  /** A filter that takes them in where their makers' defaults hold. */
  readonly topic: string;
  /** A filter of messages that tell names, which is to be subscribed to besides. */
  readonly namesTopic?: string;
  readonly mapping: Mapping;
}

const OPC_UA_VALUE: RowMapping = {
  timestamp: ['SourceTimestamp', 'ServerTimestamp', '^^/Timestamp'],
  quality: ['StatusCode', '^^/Status'],
  qualityScale: 'opcUa',
};

const OPC_UA_DATA = { '^^/MessageType': { not: ['ua-event', 'ua-condition', 'ua-keepalive'] } };

/**
 * A field of a data set is a DataValue, in which Value is left out when it is null and StatusCode when it is good, or
 * (RawData) the value itself.
 */
function dataSetFields(each: string): RowMapping[] {
  const common: RowMapping = {
    each,
    optional: true,
    plc: ['{^^/DataSetWriterName}', '{^^/DataSetWriterId}', '{/PublisherId}'],
    tag: '{#}',
    ...OPC_UA_VALUE,
  };
  const without = { exists: false };
  return [
    { ...common, when: { ...OPC_UA_DATA, Value: { exists: true } }, value: ['Value/Body', 'Value'] },
    { ...common, when: { ...OPC_UA_DATA, Value: without, StatusCode: { exists: true } }, value: null },
    {
      ...common,
      when: { ...OPC_UA_DATA, Value: without, StatusCode: without, SourceTimestamp: { exists: true } },
      value: null,
    },
    { ...common, when: { ...OPC_UA_DATA, Value: without, StatusCode: without, SourceTimestamp: without } },
  ];
}

const OPC_SAMPLE: RowMapping = {
  each: '/',
  plc: ['{/ApplicationUri}', '{/DataSetWriterId}', '{/EndpointUrl}'],
  tag: ['{/NodeId}', '{/DisplayName}'],
  timestamp: ['Value/SourceTimestamp', 'SourceTimestamp', 'Value/ServerTimestamp', 'Timestamp'],
  quality: ['Value/StatusCode', 'StatusCode', 'Status'],
  qualityScale: 'opcUa',
};

const TELEGRAF_METRIC: RowMapping = {
  plc: ['{^^/tags/plc}', '{^^/tags/name}', '{^^/tags/host}', '{^^/name}'],
  tag: '{^^/name}.{#}',
  timestamp: '^^/timestamp',
  timestampFormat: 'epochS',
  quality: '^/Quality',
  qualityScale: 'opcUa',
  exclude: ['Quality'],
};

const SIEMENS_VALUE: RowMapping = {
  plc: '{9}',
  tag: '{id}',
  table: '{1..}',
  value: 'val',
  missing: 'null',
  timestamp: ['ts', '^^/ts'],
  quality: 'qc',
  qualityScale: 'siemens',
};

const SITEWISE_VALUE: RowMapping = {
  tag: ['{^^/propertyAlias}', '{^^/assetId}.{^^/propertyId}'],
  value: ['value/doubleValue', 'value/integerValue', 'value/booleanValue', 'value/stringValue'],
  missing: 'null',
  timestampFormat: { seconds: 'timestamp/timeInSeconds', nanos: 'timestamp/offsetInNanos' },
  quality: 'quality',
};

const THINGSBOARD_TIME: RowMapping = { tag: '{#}', timestampFormat: 'epochMs' };

/** Mappings of well-known publishers, as their public documentation or a run of them has it. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  kepware: {
    publisher: 'Kepware and ThingWorx Kepware Server, IoT Gateway, standard template',
    topic: 'kepware/+/iot',
    mapping: {
      rows: [
        {
          each: '/values/*',
          tag: '{id}',
          value: 'v',
          timestamp: ['t', '/timestamp'],
          timestampFormat: 'epochMs',
          quality: 'q',
          qualityScale: 'boolean',
        },
      ],
    },
  },
  'opcua-pubsub': {
    publisher: 'OPC UA PubSub with JSON encoding, and Azure OPC Publisher in its PubSub modes',
    topic: 'opcua/json/data/#',
    mapping: {
      arrayOfDocuments: true,
      when: { '/MessageType': ['ua-data', 'ua-keyframe', 'ua-deltaframe'] },
      rows: [...dataSetFields('/Messages/[]/Payload/*'), ...dataSetFields('/Payload/*')],
    },
  },
  'opc-publisher-samples': {
    publisher: 'Azure OPC Publisher in its Samples mode',
    topic: 'opcpublisher/+/samples',
    mapping: {
      arrayOfDocuments: true,
      when: { '/NodeId': { exists: true } },
      rows: [
        { ...OPC_SAMPLE, when: { 'Value/Value': { exists: true } }, value: ['Value/Value/Body', 'Value/Value'] },
        {
          ...OPC_SAMPLE,
          when: { 'Value/Value': { exists: false }, Value: { is: ['object'] } },
          value: null,
        },
        { ...OPC_SAMPLE, when: { Value: { not: { is: ['object'] } } }, value: 'Value', missing: 'null' },
      ],
    },
  },
  telegraf: {
    publisher: 'Telegraf, output mqtt with data_format = "json", one metric or a batch a message',
    topic: 'telegraf/+/+',
    mapping: {
      rows: [
        { each: '/fields/*', ...TELEGRAF_METRIC },
        { each: '/metrics/*/fields/*', ...TELEGRAF_METRIC },
      ],
    },
  },
  'neuron-values': {
    publisher: 'EMQX Neuron, MQTT upload format values-format',
    topic: 'neuron/+/+/+',
    mapping: {
      rows: [
        {
          each: '/values/*',
          plc: '{/node}',
          tag: ['{/group}.{#}', '{#}'],
          timestamp: '/timestamp',
          timestampFormat: 'epochMs',
        },
        {
          each: '/errors/*',
          optional: true,
          plc: '{/node}',
          tag: ['{/group}.{#}', '{#}'],
          value: null,
          timestamp: '/timestamp',
          timestampFormat: 'epochMs',
          quality: '.',
          qualityScale: { '0': 'GOOD', '*': 'BAD' },
        },
      ],
    },
  },
  'neuron-tags': {
    publisher: 'EMQX Neuron, MQTT upload format tags-format',
    topic: 'neuron/+/+/+',
    mapping: {
      rows: [
        {
          each: '/tags/*',
          plc: '{/node}',
          tag: ['{/group}.{name}', '{name}'],
          value: 'value',
          missing: 'null',
          timestamp: ['t', '/timestamp'],
          timestampFormat: 'epochMs',
          quality: 'error',
          qualityScale: { '0': 'GOOD', '*': 'BAD' },
        },
      ],
    },
  },
  'siemens-databus': {
    publisher: 'Siemens Industrial Edge connectors on the IE Databus, bulk and time series',
    topic: 'ie/d/j/simatic/v1/+/dp/r/+/+',
    namesTopic: 'ie/m/j/simatic/v1/+/dp',
    mapping: {
      // An id is only known within a connection, and its collections have topics of their own.
      dictionary: {
        each: '/connections/*/dataPoints/*/dataPointDefinitions/*',
        table: '{^^/topic}',
        key: '{id}',
        name: '{name}',
      },
      rows: [
        { each: '/vals/*', ...SIEMENS_VALUE },
        { each: '/records/*/vals/*', ...SIEMENS_VALUE },
      ],
    },
  },
  mindconnect: {
    publisher: 'Siemens MindConnect (Insights Hub), asynchronous time series',
    topic: 'tc/+/+/o/mindconnect_v3/u/async',
    mapping: {
      rows: [
        {
          each: '/timeseries/*/values/*',
          tag: '{dataPointId}',
          value: 'value',
          numbersInText: true,
          timestamp: '^^/timestamp',
          quality: 'qualityCode',
          qualityScale: { '0': 'GOOD', '*': 'BAD' },
        },
      ],
    },
  },
  sitewise: {
    publisher: 'AWS IoT SiteWise, property values, one property or entries of several',
    topic: 'sitewise/+/values',
    mapping: {
      arrayOfDocuments: true,
      rows: [
        { each: '/propertyValues/*', ...SITEWISE_VALUE },
        { each: '/entries/*/propertyValues/*', ...SITEWISE_VALUE },
      ],
    },
  },
  thingsboard: {
    publisher: 'ThingsBoard telemetry, of a device or of a gateway',
    topic: 'v1/+/telemetry',
    mapping: {
      arrayOfDocuments: true,
      rows: [
        { each: '/values/*', ...THINGSBOARD_TIME, timestamp: '/ts' },
        { each: '/*', ...THINGSBOARD_TIME, when: { '/values': { exists: false }, '.': { not: { is: ['array'] } } } },
        { each: '/*/*/values/*', ...THINGSBOARD_TIME, plc: '{^^^#}', timestamp: '^^/ts' },
        {
          each: '/*/*/*',
          ...THINGSBOARD_TIME,
          plc: '{^^#}',
          when: { '^/values': { exists: false }, '^^': { is: ['array'] } },
        },
      ],
    },
  },
  thethingsstack: {
    publisher: 'The Things Stack (LoRaWAN), uplinks with a payload formatter',
    topic: 'v3/+/devices/+/up',
    mapping: {
      when: { '/uplink_message/decoded_payload': { exists: true } },
      rows: [
        {
          each: '/uplink_message/decoded_payload/*',
          plc: '{/end_device_ids/device_id}',
          tag: '{#}',
          flatten: '.',
          timestamp: ['/uplink_message/received_at', '/received_at'],
        },
      ],
    },
  },
  chirpstack: {
    publisher: 'ChirpStack 4 (LoRaWAN), uplink events with a codec',
    topic: 'application/+/device/+/event/up',
    mapping: {
      when: { '/object': { exists: true } },
      rows: [
        {
          each: '/object/*',
          plc: ['{/deviceInfo/deviceName}', '{/deviceName}'],
          tag: '{#}',
          flatten: '.',
          timestamp: ['/time', '/rxInfo/0/time'],
        },
      ],
    },
  },
  'cirrus-cloud': {
    publisher: 'Cirrus Link cloud injectors: Sparkplug B as JSON',
    topic: 'spBv1.0-json/#',
    mapping: {
      when: { '/topic/type': ['NBIRTH', 'DBIRTH', 'NDATA', 'DDATA'] },
      rows: [
        {
          each: '/payload/metrics/*',
          plc: ['{/topic/groupId}/{/topic/edgeNodeId}/{/topic/deviceId}', '{/topic/groupId}/{/topic/edgeNodeId}'],
          tag: '{name}',
          value: 'value',
          missing: 'null',
          timestamp: ['timestamp', '/payload/timestamp'],
          timestampFormat: 'epochMs',
          quality: 'properties/Quality/value',
          qualityScale: 'ignition',
          exclude: ['bdSeq', 'Node Control/*', 'Device Control/*'],
        },
      ],
    },
  },
  twincat: {
    publisher: 'Beckhoff TwinCAT IoT Communicator and Data Agent, JSON',
    topic: 'twincat/+/data',
    mapping: {
      rows: [{ each: '/Values/*', plc: '{/GroupName}', tag: '{#}', flatten: '.', timestamp: '/Timestamp' }],
    },
  },
  tasmota: {
    publisher: 'Tasmota, telemetry',
    topic: 'tele/+/SENSOR',
    mapping: {
      rows: [
        {
          each: '/*',
          plc: '{2}',
          tag: '{#}',
          flatten: '.',
          exclude: ['Time', 'TempUnit', 'PressureUnit', 'SpeedUnit'],
          words: { ON: 1, OFF: 0 },
          timestamp: '/Time',
        },
      ],
    },
  },
  'shelly-gen2': {
    publisher: 'Shelly, second generation and later, RPC notifications',
    topic: '+/events/rpc',
    mapping: {
      when: { '/method': ['NotifyStatus', 'NotifyFullStatus'] },
      rows: [
        {
          each: '/params/*',
          plc: '{/src}',
          tag: '{#}',
          flatten: '.',
          exclude: ['ts'],
          timestamp: '/params/ts',
          timestampFormat: 'epochS',
        },
      ],
    },
  },
  senml: {
    publisher: 'SenML [RFC 8428]',
    topic: 'senml/#',
    mapping: {
      rows: [
        {
          each: '/[]',
          carry: ['bn', 'bt', 'bv'],
          tag: ['{bn}{n}', '{n}', '{bn}'],
          value: ['vs', 'vb', 'vd', { sum: ['bv', 'v'] }],
          missing: 'skip',
          timestamp: { sum: ['bt', 't'] },
          timestampFormat: 'senml',
        },
      ],
    },
  },
  umh: {
    publisher: 'United Manufacturing Hub, one tag a topic, or several in one message',
    topic: 'umh/v1/#',
    mapping: {
      rows: [
        {
          each: '/',
          tag: '{3..}',
          when: { '/value': { exists: true } },
          value: '/value',
          timestamp: '/timestamp_ms',
          timestampFormat: 'epochMs',
        },
        {
          each: '/*',
          tag: '{3..}.{#}',
          when: { '/value': { exists: false } },
          flatten: '.',
          exclude: ['timestamp_ms'],
          timestamp: '/timestamp_ms',
          timestampFormat: 'epochMs',
        },
      ],
    },
  },
  flat: {
    publisher: 'Node-RED, eKuiper and others: an object whose members are the tags, or a list of such objects',
    topic: 'plant/+/values',
    mapping: { arrayOfDocuments: true, rows: [{ each: '/*', tag: '{#}', flatten: '.' }] },
  },
};

export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);
