// Where conversations and their files are kept: the browser's own database, else only the memory of this page.
// Knows no conversation's meaning. Invariant: a list is read without reading the conversations; files lie apart from them.
import { type Conversation, type Head, headOf } from "./conversation.ts";

export interface Vault {
  /** False: all of it ends with the page. */
  readonly lasts: boolean;
  heads(): Promise<Head[]>;
  load(id: string): Promise<Conversation | null>;
  /** All of them, one after the other; false from `take` ends it. */
  each(take: (conversation: Conversation) => boolean): Promise<void>;
  save(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
  addFile(file: StoredFile): Promise<void>;
  file(id: string): Promise<Blob | null>;
}

export interface StoredFile {
  readonly id: string;
  readonly conversation: string;
  readonly blob: Blob;
}

const NAME = "grok2api.playground";
const VERSION = 1;

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the browser's database failed")));
  });

const finished = (work: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = () => reject(work.error ?? new Error("the browser's database failed"));
    work.addEventListener("complete", () => resolve());
    work.addEventListener("abort", fail);
    work.addEventListener("error", fail);
  });

const openDatabase = (): Promise<IDBDatabase> => {
  const request = indexedDB.open(NAME, VERSION);
  request.addEventListener("upgradeneeded", () => {
    const database = request.result;
    database.createObjectStore("heads", { keyPath: "id" });
    database.createObjectStore("conversations", { keyPath: "id" });
    database.createObjectStore("files", { keyPath: "id" }).createIndex("conversation", "conversation");
  });
  return done(request);
};

const STORES = ["heads", "conversations", "files"] as const;

const overDatabase = (database: IDBDatabase): Vault => {
  const read = (store: (typeof STORES)[number]) => database.transaction(store).objectStore(store);
  return {
    lasts: true,
    heads: () => done(read("heads").getAll() as IDBRequest<Head[]>),
    load: async (id) => (await done(read("conversations").get(id) as IDBRequest<Conversation | undefined>)) ?? null,
    each: (take) =>
      new Promise((resolve, reject) => {
        const request = read("conversations").openCursor();
        request.addEventListener("error", () => reject(request.error ?? new Error("the browser's database failed")));
        request.addEventListener("success", () => {
          const { result } = request;
          if (result === null || !take(result.value as Conversation)) resolve();
          else result.continue();
        });
      }),
    async save(conversation) {
      const work = database.transaction(["heads", "conversations"], "readwrite");
      work.objectStore("conversations").put(conversation);
      work.objectStore("heads").put(headOf(conversation));
      await finished(work);
    },
    async remove(id) {
      const work = database.transaction(STORES, "readwrite");
      work.objectStore("heads").delete(id);
      work.objectStore("conversations").delete(id);
      const files = work.objectStore("files");
      const keys = files.index("conversation").getAllKeys(id);
      keys.addEventListener("success", () => {
        for (const key of keys.result) files.delete(key);
      });
      await finished(work);
    },
    async clear() {
      const work = database.transaction(STORES, "readwrite");
      for (const store of STORES) work.objectStore(store).clear();
      await finished(work);
    },
    async addFile(file) {
      const work = database.transaction("files", "readwrite");
      work.objectStore("files").put(file);
      await finished(work);
    },
    file: async (id) => (await done(read("files").get(id) as IDBRequest<StoredFile | undefined>))?.blob ?? null,
  };
};

const inMemory = (): Vault => {
  const conversations = new Map<string, Conversation>();
  const files = new Map<string, StoredFile>();
  return {
    lasts: false,
    heads: () => Promise.resolve([...conversations.values()].map(headOf)),
    load: (id) => Promise.resolve(conversations.get(id) ?? null),
    async each(take) {
      for (const conversation of conversations.values()) if (!take(conversation)) return;
    },
    async save(conversation) {
      conversations.set(conversation.id, conversation);
    },
    async remove(id) {
      conversations.delete(id);
      for (const file of files.values()) if (file.conversation === id) files.delete(file.id);
    },
    async clear() {
      conversations.clear();
      files.clear();
    },
    async addFile(file) {
      files.set(file.id, file);
    },
    file: (id) => Promise.resolve(files.get(id)?.blob ?? null),
  };
};

let opened: Promise<Vault> | null = null;

export const openVault = (): Promise<Vault> => {
  opened ??= (async () => {
    try {
      return overDatabase(await openDatabase());
    } catch {
      // A private window, or a browser that forbids it.
      return inMemory();
    }
  })();
  return opened;
};
