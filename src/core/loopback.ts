import { isIP } from 'node:net';

/** Whether a host or address, in brackets or not, is this machine's own and reached from nowhere else. */
export function isLoopback(host: string): boolean {
  const name = withoutBrackets(host.toLowerCase());
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** `[::1]`, as it stands in a URL → `::1`. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(?<address>.*)\]$/, '$<address>');
}
