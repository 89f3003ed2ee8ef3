/**
 * What systemd wants to hear from a `Type=notify` unit: datagrams on the socket named by NOTIFY_SOCKET. Node has no unix
 * datagram sockets and pulse may not spawn, so libc is called directly; without systemd nothing is loaded at all.
 */

export interface SystemdNotify {
  /** Undefined when this process was not started by systemd with `Type=notify`. */
  readonly socket: string | undefined;
  /** How often systemd wants `watchdog()` at least; send it twice as often. Undefined: no watchdog asked for. */
  readonly watchdogMs: number | undefined;
  ready(status?: string): void;
  status(text: string): void;
  watchdog(): void;
  stopping(): void;
  close(): void;
}

const addressFamilyUnix = 1;
const datagramCloseOnExec = 0x2 | 0x80000;
const doNotWaitNorSignal = 0x40 | 0x4000;
const longestPathBytes = 107;

/** Reads the environment and removes it from there, so that no child takes it for its own. */
export async function openSystemdNotify(env: NodeJS.ProcessEnv = process.env): Promise<SystemdNotify> {
  const socket = env.NOTIFY_SOCKET;
  const watchdogMs = watchdogOf(env);
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  const sender = socket === undefined ? undefined : await openSender(socket);
  const send = sender?.send ?? (() => {});
  return {
    socket: sender === undefined ? undefined : socket,
    watchdogMs: sender === undefined ? undefined : watchdogMs,
    ready: (status) => send(`READY=1${status === undefined ? "" : `\nSTATUS=${oneLine(status)}`}`),
    status: (text) => send(`STATUS=${oneLine(text)}`),
    watchdog: () => send("WATCHDOG=1"),
    stopping: () => send("STOPPING=1"),
    close: () => sender?.close(),
  };
}

function watchdogOf(env: NodeJS.ProcessEnv): number | undefined {
  const microseconds = Number(env.WATCHDOG_USEC);
  const meant = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
  return meant && microseconds > 0 ? microseconds / 1000 : undefined;
}

function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}

/** struct sockaddr_un: the family in the host's byte order, then the path; a leading @ stands for a zero byte. */
function socketAddress(path: string): Buffer | undefined {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  if (name.length === 0 || name.length > longestPathBytes) return undefined;
  const family = Buffer.from(new Uint16Array([addressFamilyUnix]).buffer);
  // A path ends with a zero byte, an abstract name ends where it ends.
  return Buffer.concat(path.startsWith("@") ? [family, name] : [family, name, Buffer.alloc(1)]);
}

interface Sender {
  readonly send: (text: string) => void;
  readonly close: () => void;
}

async function openSender(path: string): Promise<Sender | undefined> {
  const address = socketAddress(path);
  if (address === undefined || process.platform !== "linux") return undefined;
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const openSocket = libc.func("int socket(int domain, int type, int protocol)");
  const sendTo = libc.func(
    "int64_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t size)",
  );
  const closeFile = libc.func("int close(int fd)");
  const file = Number(openSocket(addressFamilyUnix, datagramCloseOnExec, 0));
  if (file < 0) return undefined;
  return {
    // A manager that does not read must not hold us up; a lost WATCHDOG=1 is followed by the next.
    send(text) {
      const data = Buffer.from(text);
      sendTo(file, data, data.length, doNotWaitNorSignal, address, address.length);
    },
    close() {
      closeFile(file);
    },
  };
}
