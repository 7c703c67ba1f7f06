/** The addresses that `mqtt.url` names, in the order in which they are to be tried; at least one. */
export function brokerUrls(url: string | readonly string[]): readonly string[] {
  return typeof url === 'string' ? [url] : url;
}

/** `mqtts://broker.example.com:8883`: a URL without user name, password and path, for logs and as a name. */
export function brokerOf(url: string): string {
  const { host, protocol } = new URL(url);
  return `${protocol}//${host}`;
}

/** The scheme asks for TLS. */
export function isTlsUrl(url: string): boolean {
  return /^(?:mqtts|wss):/i.test(url);
}

/** All of them, for a person. */
export function brokersOf(url: string | readonly string[]): string {
  return brokerUrls(url).map(brokerOf).join(', ');
}
