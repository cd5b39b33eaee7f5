// Addresses of khojd and paths of the vault.
import { normalizePath } from "obsidian";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";

/** The vault on the disk, by its own name and, where that goes through a symbolic link, by the real one. */
export class Paths {
  constructor(
    readonly base: string,
    private readonly real: string = base,
  ) {}

  /** The path in the vault of a `file:` address or an absolute path; undefined for what is outside. */
  inside(place: string): string | undefined {
    const file = absolute(place);
    for (const base of new Set([this.base, this.real])) {
      const relative = path.relative(base, file);
      if (relative !== "" && !outward(relative)) return normalizePath(relative.split(path.sep).join("/"));
    }
    return undefined;
  }

  /** A path as it is shown to a person: that in the vault, or from the home directory. */
  shown(place: string): string {
    const file = absolute(place);
    const home = path.relative(os.homedir(), file);
    return this.inside(place) ?? (home === "" || outward(home) ? file : `~${path.sep}${home}`);
  }

  /** The absolute path of something in the vault. */
  absolute(inVault: string): string {
    return path.join(this.base, ...inVault.split("/"));
  }

  /** The address of something in the vault. */
  uri(inVault: string): string {
    return pathToFileURL(this.absolute(inVault)).href;
  }

  /** Whether a folder is the vault. */
  is(folder: string): boolean {
    return [this.base, this.real].some((base) => path.relative(folder, base) === "");
  }

  /** Whether a folder of khojd's holds the vault. */
  within(folder: string): boolean {
    return [this.base, this.real].some((base) => !outward(path.relative(folder, base)));
  }

  /** Whether a folder of khojd's holds something in the vault. */
  covered(folder: string, inVault: string): boolean {
    return [this.base, this.real].some((base) => !outward(path.relative(folder, path.join(base, inVault))));
  }
}

/** The path that an address stands for; a path stays as it is. */
export function absolute(place: string): string {
  return place.startsWith("file:") ? fileURLToPath(place.replace(/#.*$/, "")) : place;
}

function outward(relative: string): boolean {
  return relative === ".." || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
}
