import { describe, expect, test } from "bun:test";
import { inNetwork, parseAddress, parseNetwork, reachOf } from "../../src/media/addresses.ts";

const reach = (text: string) => {
  const address = parseAddress(text);
  return address === null ? "unreadable" : reachOf(address);
};

describe("reach", () => {
  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
  ])("%s is public", (text) => {
    expect(reach(text)).toBe("public");
  });

  test.each([
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "fc00::1",
    "fdff::1",
    "::FFFF:10.0.0.1",
    "0:0:0:0:0:ffff:c0a8:1",
    "64:ff9b::10.0.0.1",
  ])("%s is private", (text) => {
    expect(reach(text)).toBe("private");
  });

  test.each([
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "[::1]",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::2",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
  ])("%s is forbidden", (text) => {
    expect(reach(text)).toBe("forbidden");
  });

  test.each(["", "localhost", "1.2.3", "01.2.3.4", "0x7f.0.0.1", "2130706433", "1.2.3.4.5", "1.2.3.4/8", ":::", "g::"])(
    "%p is no address",
    (text) => {
      expect(parseAddress(text)).toBeNull();
    },
  );
});

describe("networks", () => {
  test.each([
    ["10.0.0.0/8", "10.9.9.9", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.0.0.1", true],
    ["::ffff:10.0.0.0/104", "10.1.1.1", true],
    ["::ffff:10.0.0.0/104", "11.1.1.1", false],
    ["172.16.0.0/12", "172.31.0.1", true],
    ["172.16.0.0/12", "172.32.0.1", false],
    ["0.0.0.0/0", "9.9.9.9", true],
    ["0.0.0.0/0", "::1", false],
    ["192.168.1.7", "192.168.1.7", true],
    ["192.168.1.7", "192.168.1.8", false],
    ["fc00::/7", "fdab::1", true],
    ["fc00::/7", "fe80::1", false],
    ["::1", "::1", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
  ])("%s holds %s: %p", (network, address, expected) => {
    const parsed = parseNetwork(network);
    const bytes = parseAddress(address);
    expect(parsed !== null && bytes !== null && inNetwork(bytes, parsed)).toBe(expected);
    expect(parsed).not.toBeNull();
  });

  test.each(["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "host/8", "10.0.0.0/", "::ffff:10.0.0.0/8"])(
    "%p is no network",
    (text) => {
      expect(parseNetwork(text)).toBeNull();
    },
  );
});
