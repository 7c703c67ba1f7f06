import { request } from 'node:http';

import { ANSWER_WITHIN_MS, tooLateError, type BridgeAnswer } from './bridge-request.ts';

/**
 * Asks the bridge that listens at a local socket. Throws the system error when nobody listens there, or this user may
 * not ask, and an Error when no whole answer came within 5 s.
 */
export function askSocket(socketPath: string, method: 'GET' | 'POST', path: string): Promise<BridgeAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, timeout: ANSWER_WITHIN_MS, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve({ status, isGood: status >= 200 && status < 300, text: Buffer.concat(chunks).toString() });
      });
    });
    asked.on('timeout', () => asked.destroy(tooLateError()));
    asked.on('error', reject);
    asked.end();
  });
}
