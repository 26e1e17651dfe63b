/** Options of the built-in tools. Sizes are bytes, times milliseconds. */

export interface HttpRequestOptions {
  /**
   * Hosts that may be asked: `api.example.com`, `*.example.com` (below it), with `:port` where it
   * is neither 80 nor 443. Default: every host of the public internet.
   */
  allow?: string[];
  /** Hosts that may not; wins over `allow`. */
  deny?: string[];
  /**
   * Addresses that are not of the public internet and may be asked all the same, each with its
   * port: `127.0.0.1:8080`, `[::1]:8080`. Default none.
   */
  allowPrivate?: string[];
  /** Default GET and HEAD. */
  methods?: ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS')[];
  /** Headers for requests to one host (`api.example.com`), which callers are not told of. */
  hostHeaders?: Record<string, Record<string, string>>;
  /** Of a body that is read; the rest is left out. Default 1 MiB, at most 16. */
  responseBytesMax?: number;
  /** Of a body that is sent. Default 256 KiB. */
  requestBytesMax?: number;
  /** Default 5. */
  redirectsMax?: number;
}

export interface FilesystemOptions {
  /** A folder; or folders by name, which is then the first part of a path. */
  roots: string | Record<string, string>;
  /** Whether files may be written, moved and deleted. Default false. */
  write?: boolean;
  /** Of one reading or writing. Default 1 MiB, at most 16. */
  bytesMax?: number;
  /** Of one list. Default 1,000. */
  entriesMax?: number;
}

/** What one argument may be. Each rule serves at most `max` arguments of a command. */
export type ShellArgument =
  /** One of these, to the letter. */
  | { enum: string[]; max?: number }
  /** All of it matches. What begins with `-` does not, unless `option` says that it may. */
  | { pattern: string | RegExp; option?: boolean; max?: number }
  /** A relative path that stays below `cwd`, links resolved. */
  | { path: true; max?: number };

export interface ShellCommand {
  /** Absolute path of the program. Default: the command's name, looked up in `path`. */
  program?: string;
  /** Put before what the caller gives. */
  prefix?: string[];
  /** Default none: the command takes no arguments. */
  arguments?: ShellArgument[];
  /** Default 16. */
  argumentsMax?: number;
  /** Whether the caller may give a text for standard input. Default false. */
  stdin?: boolean;
  /** Told to models. */
  description?: string;
}

export interface ShellOptions {
  /** By name; all others are refused. */
  commands: Record<string, ShellCommand>;
  /** The folder in which they run. */
  cwd: string;
  /** All of their environment, beside `PATH`; told nobody but them. Default empty. */
  env?: Record<string, string>;
  /** Where programs are looked up, and their `PATH`. Default /usr/local/bin, /usr/bin, /bin. */
  path?: string[];
  /** Of standard output and error, each. Default 64 KiB, at most 4 MiB. */
  outputBytesMax?: number;
}

export interface JsonOptions {
  /** Values that a query may find. Default 1,000. */
  resultsMax?: number;
  /** Of a document given as text, and values of one that a patch makes. Default 1 MiB. */
  documentBytesMax?: number;
}

export interface ScriptOptions {
  /** Of the VM's values (MiB). Default 32, at most 1,024. */
  memoryMb?: number;
  /** Of the engine's stack (KiB). Default 256, 16 to 512. */
  stackKb?: number;
  /** Longest run, whatever the snippet does (ms). Default 5,000. */
  runMs?: number;
  /** Of the result's JSON. Default 256 KiB. */
  resultBytesMax?: number;
}

/** Options of each built-in tool. */
export interface BuiltinOptions {
  http_request: HttpRequestOptions;
  filesystem: FilesystemOptions;
  shell: ShellOptions;
  calculator: Record<string, never>;
  datetime: Record<string, never>;
  json: JsonOptions;
  script: ScriptOptions;
}

export type BuiltinName = keyof BuiltinOptions;
