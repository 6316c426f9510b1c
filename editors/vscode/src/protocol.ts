/** The server's own methods, as far as they are used here; see the server's README. */

export const GET_CONTEXT = "remora/getContext";
export const STATUS = "remora/status";
export const PROCESS = "remora/process";
export const SUBSCRIBE = "remora/subscribe";
export const CHANGED = "remora/changed";
export const REINDEX = "remora/reindex";
export const OUTDATED = "remora/outdated";
export const SCRIPTS = "remora/scripts";
export const ACKNOWLEDGE = "remora/acknowledgeDocstring";

export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

/** `null` means "not computed", an empty list "computed, none". */
export interface NodeState {
  key: string;
  file_path: string;
  node_name: string;
  kind: "module" | "class" | "function" | "method" | "property" | "staticmethod" | "classmethod";
  qualname: string;
  signature: string | null;
  docstring: string | null;
  docstring_full: string | null;
  callers: string[] | null;
  callees: string[] | null;
  related_tests: string[] | null;
  line_count: number | null;
  complexity: number | null;
  docstring_outdated: boolean;
  docstring_outdated_reason: string | null;
  drift?: Drift | null;
  has_type_hints: boolean;
  range: Range;
  name_range: Range;
  broken: string | null;
  extra: Record<string, unknown>;
}

/** What is wrong with a docstring, since when, and which signature it belonged to. */
export interface Drift {
  reasons: { code: string; message: string }[];
  since: string | null;
  commit: string | null;
  author: string | null;
  signature: string | null;
}

export interface Outdated {
  outdated: OutdatedNode[];
  /** Of these only the first are named. */
  total: number;
}

export interface OutdatedNode {
  key: string;
  uri: string;
  path: string;
  qualname: string;
  name_range: Range;
  reason: string;
  drift: Drift;
}

export interface Acknowledged {
  changed: boolean;
}

export type Relation = "callers" | "callees" | "tests";

export interface Context {
  nodes: Record<string, NodeState>;
  missing: { id: string; reason: string; detail: string | null }[];
  stale: { id: string; reason: string }[];
  related: Record<string, NodeState>;
  relations: Record<string, Partial<Record<Relation, string[]>>>;
  omitted: { id: string; what: string; reason: string; count?: number | null }[];
  revision: number;
  state: HubState;
}

export type HubState = "indexing" | "ready" | "degraded";

export interface HubStatus {
  state: HubState;
  state_reason: string | null;
  version: string;
  pid: number | null;
  project_root: string;
  database: string;
  revision: number;
  indexed_files: number;
  indexed_nodes: number;
  failed: { file: string; error: string; line: number | null }[];
  pending: number;
  sessions: number;
  slowest: { path: string; seconds: number }[];
  others: HubStatus[];
  history: { state: string; reason: string | null; done: number; total: number } | null;
}

export interface Reindexed {
  files: number;
  seconds: number;
}

/** `folders`: where the project's own scripts are, relative to `root`. */
export interface Scripts {
  roots: { root: string; folders: string[] }[];
}

export interface ProcessStatus {
  log: string | null;
}
