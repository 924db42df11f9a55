/** Ports to listen on. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { readIfThere } from './files.ts';
import { codeOf, OperatorError } from './operator-error.ts';

/**
 * Whether the HTTP server will be able to listen, said before anything is started. Throws `OperatorError` naming the setting to
 * change. `privileged`: whether the server keeps root's right to low ports.
 */
export async function checkPort(host: string, port: number, privileged: boolean): Promise<void> {
  const lowest = Number(readIfThere('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 1024);
  if (!privileged && port < lowest) {
    throw new OperatorError(`PORT: expected ${lowest} or more, since the server does not run as root, got ${port}`);
  }
  const code = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.on('error', (error) => resolve(codeOf(error) ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  if (code === 'EADDRINUSE') {
    throw new OperatorError(
      `port ${port} on ${host} is in use by another program; stop it, or set PORT to another port`,
    );
  }
  if (code === 'EACCES')
    throw new OperatorError(`PORT: ${port} may not be used by this user; set PORT to 1024 or more`);
  if (code) throw new OperatorError(`HOST: cannot listen on ${host} (${code}); set HOST to an address of this machine`);
}

/** A TCP port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
