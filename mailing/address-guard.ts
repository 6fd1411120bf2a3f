import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Keeps user-supplied addresses out of the deployment's own network (server-side request forgery): allows only global
 * unicast addresses, and what the operator allows. Refuses everything else: private, loopback, link-local with the
 * clouds' metadata, carrier-grade NAT, multicast, reserved, and IPv6 addresses that wrap an IPv4 address.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry
 */
export interface AddressGuard {
  /** Whether connections to an IP address, in plain notation, are allowed. */
  allowsAddress(address: string): boolean;
  /** Whether the operator allows the host by name, for any address it resolves to. */
  allowsHost(host: string): boolean;
  /** Resolves names. Tests replace the system's. */
  lookup: Lookup;
}

export type Lookup = (
  hostname: string,
  options: { all: true },
  /** With an error Node passes no addresses, despite its types. */
  callback: (error: NodeJS.ErrnoException | null, addresses?: LookupAddress[]) => void,
) => void;

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** An entry of the operator's allow-list: an address, a CIDR range, or a host name. */
export const isAllowEntry = (entry: string): boolean =>
  ipaddr.isValidCIDR(entry) || isIP(entry) !== 0 || /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(entry);

export function createAddressGuard(
  allowed: readonly string[],
  { lookup = dnsLookup }: { lookup?: Lookup } = {},
): AddressGuard {
  const ranges: Range[] = [];
  const hosts = new Set<string>();
  for (const entry of allowed) {
    if (ipaddr.isValidCIDR(entry)) ranges.push(ipaddr.parseCIDR(entry));
    else if (isIP(entry) !== 0) {
      const address = ipaddr.parse(entry);
      ranges.push([address, address.kind() === 'ipv4' ? 32 : 128]);
    } else hosts.add(entry.toLowerCase());
  }
  return {
    lookup,
    allowsHost: (host) => hosts.has(host.toLowerCase().replace(/\.$/, '')),
    allowsAddress(text) {
      // A zone (fe80::1%eth0) names a local interface.
      if (isIP(text) === 0 || text.includes('%')) return false;
      const address = ipaddr.process(text);
      if (ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits)))
        return true;
      return address.range() === 'unicast' && (address.kind() === 'ipv4' || isGlobalUnicast(address));
    },
  };
}

/** IANA has assigned global addresses only from 2000::/3. */
const isGlobalUnicast = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  ((address.toByteArray()[0] ?? 0) & 0xe0) === 0x20;

/** The host resolves to an address that the guard does not allow. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly host: string;

  constructor(host: string) {
    super(`${host} leads to an address that is not allowed`);
    this.host = host;
  }
}

/**
 * Throws `AddressRefused` for a host that is a disallowed IP address. URL has converted every notation (2130706433,
 * 0x7f.1, 0177.0.0.1) to the plain one; Node performs no look-up for those.
 */
export function checkLiteral(guard: AddressGuard, hostname: string): void {
  const plain = hostname.replace(/^\[|\]$/g, '');
  if (isIP(plain) !== 0 && !guard.allowsAddress(plain)) throw new AddressRefused(hostname);
}

/**
 * The look-up for sockets: every address of the name must be allowed, and the socket connects to a checked one, without
 * a second DNS query in between.
 */
export const guardedLookup =
  (guard: AddressGuard): LookupFunction =>
  (hostname, options, callback) => {
    guard.lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const first = addresses?.[0];
      if (error || addresses === undefined || first === undefined) {
        callback(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 0);
      } else if (
        !guard.allowsHost(hostname) &&
        !addresses.every(({ address }) => guard.allowsAddress(address))
      ) {
        callback(new AddressRefused(hostname), '', 0);
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
