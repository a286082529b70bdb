/** The URLs that say where to listen. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  addressesClash,
  formatAddress,
  isLoopback,
  parseListenUrl,
} from "../../lib/net/url.ts";

const ACCEPTED: readonly [string, string, number | undefined][] = [
  ["tcp://0.0.0.0:5342", "0.0.0.0", 5342],
  ["tcp4://10.1.2.3:1", "10.1.2.3", 1],
  ["net://10.1.2.3:65535", "10.1.2.3", 65535],
  ["net4://10.1.2.3", "10.1.2.3", undefined],
  ["tcp://localhost:5344", "127.0.0.1", 5344],
  ["tcp6://localhost:5344", "::1", 5344],
  ["tcp6://[::]:5342", "::", 5342],
  ["net6://[::1]", "::1", undefined],
  ["tcp6://[2001:DB8:0:0::1]:9", "2001:db8::1", 9],
  ["tcp://collector.lab-1.example:0", "collector.lab-1.example", 0],
  ["tcp6://collector:7", "collector", 7],
  ["tcp://0.0.0.0:5342/", "0.0.0.0", 5342],
];

for (const [text, hostname, port] of ACCEPTED) {
  Deno.test({
    name: `parseListenUrl() reads ${text}`,
    permissions: "none",
    fn: () => assertEquals(parseListenUrl(text), { hostname, port }),
  });
}

const REFUSED: readonly [string, string][] = [
  [
    "localhost:5342",
    'Not a URL: "localhost:5342": write tcp://localhost:5342',
  ],
  ["[::1]:5342", 'Not a URL: "[::1]:5342": write tcp6://[::1]:5342'],
  ["", 'Not a URL: "": write tcp://HOST:PORT'],
  [
    "http://localhost:80",
    'Unknown protocol "http" in "http://localhost:80": use tcp, tcp4, tcp6, net, net4 or net6',
  ],
  ["tcp://", 'No host in "tcp://"'],
  ["tcp://:5342", 'No host in "tcp://:5342"'],
  [
    "tcp://h:65536",
    'Not a port: "65536" in "tcp://h:65536": ports are 0 to 65535',
  ],
  ["tcp://h:", 'Not a port: "" in "tcp://h:": ports are 0 to 65535'],
  ["tcp://h:-1", 'Not a port: "-1" in "tcp://h:-1": ports are 0 to 65535'],
  ["tcp://h:1e3", 'Not a port: "1e3" in "tcp://h:1e3": ports are 0 to 65535'],
  [
    "net://h:1:2",
    'Not a host and a port: "net://h:1:2": write an IPv6 address in brackets, and one port',
  ],
  [
    "tcp6://::1:5342",
    'Not a host and a port: "tcp6://::1:5342": write an IPv6 address in brackets, and one port',
  ],
  [
    "tcp://h:1/traces",
    'A path has no meaning for a listener: "tcp://h:1/traces"',
  ],
  [
    "tcp://[::1]:1",
    'An IPv6 address needs tcp6:// or net6://: "tcp://[::1]:1"',
  ],
  ["tcp6://[:::1]:1", 'Not an IPv6 address: "[:::1]" in "tcp6://[:::1]:1"'],
  [
    "tcp6://127.0.0.1:1",
    'Not an IPv6 address: "127.0.0.1" in "tcp6://127.0.0.1:1"',
  ],
  ["tcp://1.2.3:1", 'Not an IPv4 address: "1.2.3" in "tcp://1.2.3:1"'],
  [
    "tcp://1.2.3.256:1",
    'Not an IPv4 address: "1.2.3.256" in "tcp://1.2.3.256:1"',
  ],
  ["tcp://a b:1", 'Not a host name: "a b" in "tcp://a b:1"'],
];

for (const [text, message] of REFUSED) {
  Deno.test({
    name: `parseListenUrl() refuses "${text}"`,
    permissions: "none",
    fn: () => {
      const error = assertThrows(() => parseListenUrl(text), SyntaxError);
      assertEquals(error.message, message);
    },
  });
}

Deno.test({
  name: "formatAddress() puts an IPv6 address in brackets",
  permissions: "none",
  fn: () => {
    assertEquals(formatAddress({ hostname: "::1", port: 5 }), "[::1]:5");
    assertEquals(formatAddress({ hostname: "1.2.3.4", port: 5 }), "1.2.3.4:5");
  },
});

Deno.test({
  name: "isLoopback() knows the addresses that only this machine reaches",
  permissions: "none",
  fn: () => {
    for (const hostname of ["127.0.0.1", "127.8.9.1", "::1", "localhost"]) {
      assertEquals(isLoopback(hostname), true, hostname);
    }
    for (const hostname of ["0.0.0.0", "::", "10.0.0.1", "127.example.org"]) {
      assertEquals(isLoopback(hostname), false, hostname);
    }
  },
});

Deno.test({
  name: "addressesClash() compares ports, hosts and wildcards",
  permissions: "none",
  fn: () => {
    function clash(a: string, portA: number, b: string, portB: number) {
      return addressesClash({ hostname: a, port: portA }, {
        hostname: b,
        port: portB,
      });
    }
    assertEquals(clash("127.0.0.1", 5, "127.0.0.1", 5), true);
    assertEquals(clash("0.0.0.0", 5, "127.0.0.1", 5), true);
    assertEquals(clash("127.0.0.1", 5, "::", 5), true);
    assertEquals(clash("127.0.0.1", 5, "127.0.0.2", 5), false);
    assertEquals(clash("127.0.0.1", 5, "127.0.0.1", 6), false);
    assertEquals(clash("127.0.0.1", 0, "127.0.0.1", 0), false);
  },
});
