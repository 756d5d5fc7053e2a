// `install-service`: puts the executable, a system user and a hardened unit in their places, so that systemd runs the gateway.
// Also the way to upgrade: the former executable stays beside the new one. Invariant: the data folder is never touched.
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Io } from "./port.ts";
import { readVersion } from "./version.ts";

const EXECUTABLE = "/usr/local/bin/grok2api";
const UNIT = "/etc/systemd/system/grok2api.service";
const USER = "grok2api";

export interface InstallOptions {
  /** Only show the unit. */
  readonly print: boolean;
  /** A folder to install into instead of this machine; nothing is started then. For packagers and tests. */
  readonly root: string | null;
}

export const installUnitCommand = async (io: Io, { print, root }: InstallOptions): Promise<number> => {
  if (print) {
    io.out(unitText.trimEnd());
    return 0;
  }
  if (process.platform !== "linux") throw new Error("install-service needs Linux with systemd");
  if (!Bun.isStandaloneExecutable) throw new Error("install-service installs the built executable; run that one");
  if (root === null && process.getuid?.() !== 0) throw new Error("install-service has to be run by root (sudo)");
  if (root === null && !existsSync("/run/systemd/system")) {
    throw new Error("this machine is not run by systemd; install-service --print shows the unit");
  }
  const kept = placeExecutable(join(root ?? "/", EXECUTABLE));
  if (root === null) addUser();
  mkdirSync(dirname(join(root ?? "/", UNIT)), { recursive: true });
  writeFileSync(join(root ?? "/", UNIT), unitText);
  if (root === null) {
    run(["systemctl", "daemon-reload"]);
    run(["systemctl", "enable", USER]);
    run(["systemctl", "restart", USER]);
  }
  io.out(summary({ kept, started: root === null }));
  return 0;
};

/** True when there was one before; it is kept as `grok2api.previous`. */
const placeExecutable = (target: string): boolean => {
  mkdirSync(dirname(target), { recursive: true });
  if (target === process.execPath) return false;
  const next = `${target}.next`;
  copyFileSync(process.execPath, next);
  chmodSync(next, 0o755);
  const kept = existsSync(target);
  if (kept) {
    rmSync(`${target}.previous`, { force: true });
    linkSync(target, `${target}.previous`);
  }
  // A rename, because a running executable cannot be written over.
  renameSync(next, target);
  return kept;
};

const addUser = (): void => {
  if (Bun.spawnSync(["id", USER]).exitCode === 0) return;
  run([
    "useradd",
    "--system",
    "--user-group",
    "--home-dir",
    "/var/lib/grok2api",
    "--no-create-home",
    "--shell",
    "/usr/sbin/nologin",
    USER,
  ]);
};

const run = (command: string[]): void => {
  const done = Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${done.stderr.toString().trim()}`);
};

const summary = ({ kept, started }: { kept: boolean; started: boolean }): string =>
  [
    `grok2api ${readVersion().version} is installed as ${EXECUTABLE}${kept ? `; the former one is ${EXECUTABLE}.previous` : ""}.`,
    started ? "It runs, and starts with the machine." : "Nothing was started.",
    "Settings and data: /var/lib/grok2api (config.toml there).",
    "The log, with the admin password of a first start: journalctl -u grok2api",
    "Accounts: sudo -u grok2api DATA_DIR=/var/lib/grok2api grok2api import - </path/to/tokens.txt; then restart",
  ].join("\n");

// MemoryDenyWriteExecute is missing on purpose: the engine compiles while it runs. The native addon is unpacked to the
// cache folder, because /tmp is often mounted noexec.
const unitText = `# Made by: grok2api install-service --print
[Unit]
Description=Grok2API gateway
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=${EXECUTABLE} serve
User=${USER}
Group=${USER}
WorkingDirectory=/var/lib/grok2api
StateDirectory=grok2api
StateDirectoryMode=0750
CacheDirectory=grok2api
CacheDirectoryMode=0700
UMask=0077

# Settings as variables go into this file; "systemctl edit grok2api" is for everything else.
EnvironmentFile=-/etc/default/grok2api
Environment=DATA_DIR=/var/lib/grok2api
Environment=TMPDIR=/var/cache/grok2api
# The runtime's own limit is 256 calls at a time, and further ones would wait unseen.
Environment=BUN_CONFIG_MAX_HTTP_REQUESTS=20000
# Would let whoever sets it run code of theirs inside the gateway.
UnsetEnvironment=BUN_OPTIONS BUN_INSPECT NODE_OPTIONS

Restart=on-failure
RestartSec=2
# server.grace_seconds is 20: answers that run at a stop may end.
TimeoutStopSec=40
KillMode=mixed
LimitNOFILE=65536
TasksMax=512
MemoryMax=2G

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
