/**
 * What a plugin's files held when a version was made of them. A later life of that version begins
 * with this, whatever the files hold by then: an edit comes by a reload only.
 */

/** Of a file that is imported as it is, as long as nothing changed. */
export interface KeptCode {
  /** The file and what it imports, bundled. */
  href: string;
  /** All of these files: the SHA-256 of each, by its path. */
  files: Readonly<Record<string, string>>;
}

/** By the URL of the file that stands for it. */
export type KeptModules = Readonly<Record<string, KeptCode>>;

/** The files that a script has read while it was loaded, by their names in its folder. */
export type ScriptSources = Readonly<Record<string, Uint8Array>>;
