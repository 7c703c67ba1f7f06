import { describe, expect, it } from 'vitest';

import type { Manners, SessionManners, TopicManners } from '../../../src/mqtt/trial/manners.ts';
import type { Tried } from '../../../src/preflight/manners-check.ts';
import { verdict } from '../../../src/preflight/verdict.ts';

const TOPICS: TopicManners = { shared: 'shared', plus: true, plusWithDot: true, dot: 'kept', dotAs: undefined };
const SESSION: SessionManners = {
  expirySeconds: 604_800,
  qos: 1,
  window: 60,
  ids: 'counting',
  highestId: 65,
  kept: true,
  unacknowledged: 5,
  cameAgain: 5,
  sameIds: true,
  flagged: true,
  inOrder: true,
  queued: true,
  leaksWindow: false,
};
const MANNERS: Manners = {
  refusal: '',
  topics: TOPICS,
  retained: undefined,
  session: SESSION,
  qos2: { qos: 2, exact: true, fault: '' },
  large: undefined,
};
const POLLING = { topic: 'plc/+/tags', qos: 1, format: 'polling' };
const SCALAR = { topic: 'plant/+/+', qos: 1, format: 'scalar' };

function of(manners: Partial<Manners>, subscriptions: readonly object[] = [POLLING]): string {
  const config = {
    mqtt: { subscriptions, sessionExpirySeconds: 604_800, receiveMaximum: 1000 },
    notices: { inlineCsvMaxBytes: 0 },
  } as unknown as Tried['config'];
  const tried = { config, manners: { ...MANNERS, ...manners }, kind: undefined, protocolVersion: 5, retains: true };
  const found = verdict(tried);
  return found === undefined ? '' : `${found.verdict}: ${found.text} → ${found.remedy.join(' → ')}`;
}

const session = (some: Partial<SessionManners>): Partial<Manners> => ({ session: { ...SESSION, ...some } });

describe('the verdict', () => {
  it('is exactly once where what comes again is known by its packet id', () => {
    expect(of({})).toBe('ok: exactly once → ');
    expect(of({}, [SCALAR])).toBe('ok: exactly once → ');
    // Another order is no matter.
    expect(of(session({ inOrder: false }))).toBe('ok: exactly once → ');
  });

  it.each([
    ['without DUP', session({ flagged: false })],
    ['under other ids', session({ sameIds: false })],
    ['with ids that are used again', session({ ids: 'reused' })],
    ['with ids that begin anew', session({ ids: 'restarting' })],
    ['with a window that leaks', session({ leaksWindow: true })],
  ])('is maybe doubled %s', (_how, manners) => {
    expect(of(manners)).toMatch(
      /^warning: maybe doubled: exactly once for payloads with a time of their own; where one has none/,
    );
    expect(of(manners, [SCALAR])).toMatch(
      /plant\/\+\/\+ \(scalar\) have none.* → put a time into each payload → or publish at QoS 2/,
    );
  });

  it('is exactly once at QoS 2 where the broker keeps to it, and advises it only there', () => {
    const manners = session({ ids: 'reused' });
    expect(of(manners, [{ ...SCALAR, qos: 2 }])).toBe('ok: exactly once → ');
    const inexact = { ...manners, qos2: { qos: 2, exact: false, fault: 'x' } };
    expect(of(inexact, [{ ...SCALAR, qos: 2 }])).toMatch(/^warning: maybe doubled/);
    expect(of(inexact)).not.toContain('QoS 2');
  });

  it.each([
    ['messages come at QoS 0', session({ qos: 0, kept: undefined })],
    ['the session of an absent bridge is not kept', session({ kept: false })],
    ['unacknowledged messages are lost', session({ cameAgain: 4 })],
    ['messages for an absent bridge are lost', session({ queued: false })],
    ['messages that + stands for are lost', { topics: { ...TOPICS, plus: false } }],
  ])('is not fit where %s', (reason, manners) => {
    expect(of(manners)).toMatch(/^failed: not fit for this bridge: /);
    expect(of(manners)).toContain(reason);
  });

  it('is not fit without $share only where that is configured', () => {
    const manners = { topics: { ...TOPICS, shared: 'nothing' } } as const;
    expect(of(manners)).toBe('ok: exactly once → ');
    expect(of(manners, [{ ...POLLING, topic: '$share/g/plc/+/tags' }])).toMatch(
      /not fit .*shared subscriptions are not known/,
    );
  });

  it('is none where nothing was found out', () => {
    expect(of({ session: undefined })).toBe('');
  });
});
