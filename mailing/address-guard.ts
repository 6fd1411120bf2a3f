import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Keeps addresses given by users out of the deployment's own network (server-side request forgery): only global
 * unicast addresses are let through, and what the operator allows. Everything else is refused: private, loopback,
 * link-local with the clouds' metadata, carrier-grade NAT, multicast, reserved, and what wraps an IPv4 address in an
 * IPv6 one.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry
 */
export interface AddressGuard {
  /** Whether an IP address, written plainly, may be connected to. */
  allowsAddress(address: string): boolean;
  /** Whether the operator allows the host by its name, whatever it resolves to. */
  allowsHost(host: string): boolean;
  /** Resolves names. Only in tests another than the system's. */
  lookup: Lookup;
}

export type Lookup = (
  hostname: string,
  options: { all: true },
  /** With an error Node gives no addresses, whatever its types say. */
  callback: (error: NodeJS.ErrnoException | null, addresses?: LookupAddress[]) => void,
) => void;

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** One entry of the operator's allow-list: an address, a CIDR range, or the name of a host. */
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
      // A zone (fe80::1%eth0) names an interface of ours.
      if (isIP(text) === 0 || text.includes('%')) return false;
      const address = ipaddr.process(text);
      if (ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits)))
        return true;
      return address.range() === 'unicast' && (address.kind() === 'ipv4' || isGlobalUnicast(address));
    },
  };
}

/** IANA has given out global addresses only from 2000::/3. */
const isGlobalUnicast = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  ((address.toByteArray()[0] ?? 0) & 0xe0) === 0x20;

/** The host leads to an address that the guard does not allow. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly host: string;

  constructor(host: string) {
    super(`${host} leads to an address that is not allowed`);
    this.host = host;
  }
}

/**
 * Throws `AddressRefused` for a host that is written as an IP address which is not allowed. URL has brought every
 * notation (2130706433, 0x7f.1, 0177.0.0.1) into the plain one; Node asks no look-up for those.
 */
export function checkLiteral(guard: AddressGuard, hostname: string): void {
  const plain = hostname.replace(/^\[|\]$/g, '');
  if (isIP(plain) !== 0 && !guard.allowsAddress(plain)) throw new AddressRefused(hostname);
}

/**
 * The look-up for sockets: every address of the name has to be allowed, and the socket connects to what was checked;
 * nobody asks DNS a second time in between.
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
