import { brokersOf } from '../../core/broker-url.ts';
import { systemClock } from '../../core/clock.ts';
import { ConfigError } from '../../core/errors.ts';
import { isShared, topicFilterProblem, topicMatches } from '../../core/topic-filter.ts';
import { listen } from '../../mqtt/trial/listen.ts';
import { BrokerProbeError } from '../../mqtt/trial/open.ts';
import { propose } from '../../payload/discovery/proposals.ts';
import { TopicSurvey } from '../../payload/discovery/topic-survey.ts';
import { type Command, CommandError, CONFIG_OPTIONS, flagOption, type OptionValues } from '../command.ts';
import { EXIT, EXIT_MEANINGS } from '../exit-codes.ts';
import { discoveryJson, discoveryText } from '../text/discovery-text.ts';

const DEFAULT_SECONDS = 20;
const MAX_SECONDS = 3600;

export const discoverCommand: Command = {
  name: 'discover',
  summary: 'lists the topics that the broker has, and subscriptions that would read them',
  usage: `Usage: mqtt-oracle-bridge discover [--filter FILTER] [--seconds N] [--json] [--config FILE]...

Listens at the broker of the configuration for some seconds and lists what came: topics
with their rate, size and shape, and whether the broker keeps them. Then it proposes
subscriptions, each tried on the messages that it would read: copy them, and see the rows
with try. It has a client of its own with a clean session, disturbs no running bridge and
writes nothing, neither at the broker nor into a file. Topics that begin with $ are left
out, and the notices of the bridge. Ctrl-C ends the listening early.

Examples:
  mqtt-oracle-bridge discover
  mqtt-oracle-bridge discover --set mqtt.url=mqtt://broker:1883 --seconds 60
  mqtt-oracle-bridge discover --filter 'plant/hall2/#'
  mqtt-oracle-bridge discover --json | jq '.proposals[].subscription'`,
  exitCodes: {
    0: 'listened, whatever came',
    66: EXIT_MEANINGS[66],
    69: "the broker can't be reached, or does not grant the subscription",
    78: EXIT_MEANINGS[78],
  },
  options: {
    filter: { type: 'string', short: 'f', placeholder: 'FILTER', summary: 'the topics to listen to; without it #' },
    seconds: { type: 'string', placeholder: 'N', summary: `how long to listen; without it ${DEFAULT_SECONDS}` },
    json: { type: 'boolean', summary: 'print JSON, with all topics' },
    ...CONFIG_OPTIONS,
  },
  run: async ({ values }, io) => {
    const filter = filterOption(values);
    const seconds = secondsOption(values);
    const { mqtt, notices } = io.loadConfig(values, 'any');
    const isJson = flagOption(values, 'json');
    if (!isJson) io.stderr.write(`Listening to ${filter} at ${brokersOf(mqtt.url)} for ${seconds} s …\n`);
    const survey = new TopicSurvey();
    const own = `${notices.baseTopic}/#`;
    const listened = await whileNotInterrupted((signal) => {
      const options = { ...mqtt, filter, forMs: seconds * 1000, clock: systemClock };
      return listen(
        options,
        (heard) => {
          if (!heard.topic.startsWith('$') && !topicMatches(own, heard.topic)) survey.add(heard);
        },
        signal,
      );
    });
    const { proposals, unread } = propose(survey.topics());
    const found = { filter, listenedSeconds: Math.max(1, listened) / 1000, survey, proposals, unread };
    io.stdout.write(isJson ? discoveryJson(found) : discoveryText(found));
    return EXIT.ok;
  },
};

function filterOption(values: OptionValues): string {
  const filter = typeof values['filter'] === 'string' ? values['filter'] : '#';
  const problem = isShared(filter)
    ? 'is of a shared subscription, whose members would lose messages'
    : topicFilterProblem(filter);
  if (problem !== undefined) throw new CommandError(EXIT.usage, `discover: --filter ${problem}`);
  return filter;
}

function secondsOption(values: OptionValues): number {
  const given = values['seconds'];
  if (given === undefined) return DEFAULT_SECONDS;
  const seconds = typeof given === 'string' && /^\d+(?:\.\d+)?$/.test(given) ? Number(given) : 0;
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds;
  throw new CommandError(EXIT.usage, `discover: --seconds must be a number up to ${MAX_SECONDS}`);
}

async function whileNotInterrupted(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
  try {
    return await work(interruption.signal);
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw new CommandError(EXIT.config, `${thrown.path}: ${thrown.message}`);
    if (!(thrown instanceof BrokerProbeError)) throw thrown;
    const remedy = thrown.remedy === '' ? '' : `; ${thrown.remedy}`;
    throw new CommandError(EXIT.unavailable, `no listening at the broker: ${thrown.message}${remedy}`);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
}
