/** The directives of ha.cf that have no counterpart with us, each with the reason a person is told. */

const logging =
  "Understudy logs to its standard error, which systemd keeps: journalctl -u understudy-pulse -u understudy-node";
const wire = "it is about the form of Heartbeat's messages; Understudy has its own";
const process = "pulse is small, locked in memory and real-time by itself, where the system allows it";
const pacemakerOnly = "it is for Pacemaker alone";

export const ignoredDirectives: ReadonlyMap<string, string> = new Map([
  [
    "udpport",
    "Understudy has ports of its own (6940 to 6943), so that both can be installed at once; see heartbeat.port",
  ],
  ["hopfudge", "a pair has no ring whose hops are counted"],
  ["logfacility", logging],
  ["logfile", logging],
  ["debugfile", logging],
  ["use_logd", logging],
  ["conn_logd_time", logging],
  ["syslogmsgfmt", logging],
  ["log_badpack", "beats that do not authenticate raise an alarm (rule R29)"],
  ["rtprio", process],
  ["realtime", process],
  ["memreserve", process],
  ["coredumps", "systemd decides about core dumps"],
  ["coreroot", "systemd decides about core dumps"],
  ["hbgenmethod", "epochs are kept on the disk of each node (rule R16)"],
  ["uuidfrom", "a node is known by the name in the config"],
  ["apiauth", "only root, or the user that runs Understudy, may ask a node; the session API has tokens"],
  [
    "failfast",
    "Understudy starts no helpers of others: run it as a systemd unit, with FailureAction=reboot if it must be",
  ],
  [
    "env",
    "there is no helper that it could be passed to; services and hooks of the plugin exec have `environment`",
  ],
  [
    "hbaping",
    "Understudy looks at no fibre channel adapter: a service of the plugin exec can, as its health",
  ],
  ["quorum_server", "a third vote is an arbiter: see the plugin etcd"],
  ["msgfmt", wire],
  ["compression", wire],
  ["compression_threshold", wire],
  ["traditional_compression", wire],
  ["max_rexmit_delay", wire],
  ["use_apphbd", "nothing registers with apphbd any more: node and pulse watch each other"],
  ["normalpoll", "it chooses between two ways of waiting inside Heartbeat"],
  ["tipc", "Understudy has no TIPC; UDP over another network takes its place"],
  ["rds", "Understudy has no RDS; UDP over another network takes its place"],
  ["crm_daemon_dir", pacemakerOnly],
  ["crmd_spawns_pengine", pacemakerOnly],
  ["record_config_changes", pacemakerOnly],
  ["record_pengine_inputs", pacemakerOnly],
  ["enable_config_writes", pacemakerOnly],
]);
