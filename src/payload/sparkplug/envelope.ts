import { gunzipSync, inflateSync } from 'node:zlib';

import { MalformedError } from './proto-reader.ts';

/** The uuid of a payload whose body is another payload, compressed. */
export const COMPRESSED = 'SPBV1.0_COMPRESSED';

/** As large as a message may be that the bridge takes from a broker. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;

/**
 * The payload in a compressed envelope. Its first bytes tell how it is compressed: the metric that could say so mostly
 * is not there. Throws MalformedError where it can't be inflated, or would be larger than any message may be.
 */
export function inflateBody(body: Buffer): Buffer {
  const options = { maxOutputLength: MAX_INFLATED_BYTES };
  try {
    if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body, options);
    if (body[0] === 0x78) return inflateSync(body, options);
  } catch (thrown) {
    const words = thrown instanceof Error ? thrown.message : String(thrown);
    throw new MalformedError(`the compressed body can not be inflated (${words}), it begins`, 0);
  }
  throw new MalformedError('the compressed body is neither gzip nor zlib, it begins', 0);
}
