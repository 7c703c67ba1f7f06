/** aedes, in memory, on a port of the loopback interface: tsx main.ts PORT */
import { createServer } from 'node:net';

import { Aedes } from 'aedes';

const broker = await Aedes.createBroker();
const server = createServer((socket) => broker.handle(socket));
server.listen(Number(process.argv[2]), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
