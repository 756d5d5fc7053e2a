// The transport-neutral acts of a simulated answer. script.ts writes them, chat-frames.ts (REST) and
// socket-frames.ts (chat socket) translate them. Knows neither wire. Invariant: a step is plain data.

export type Channel = "answer" | "thinking" | "header" | "summary";

export interface WebHit {
  url: string;
  title: string;
  preview: string;
}

export interface Post {
  username: string;
  name: string;
  text: string;
  postId: string;
}

export interface CodeOutput {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** `detail` is the one member that names the kind of a StreamError, e.g. `beyondContextLength`. */
export interface StreamFault {
  message: string;
  detail: string;
  fatal: boolean;
}

export interface PictureChunk {
  imageUuid: string;
  imageUrl: string;
  seq: number;
  progress: number;
  moderated: boolean;
  prompt: string;
  index: number;
}

export interface CitationCard {
  id: string;
  citationId: number;
  url: string;
  source: "web" | "x";
}

export interface FoundPicture {
  title: string;
  link: string;
  original: string;
  thumbnail: string;
  source: string;
}

export type Step =
  | { do: "layout"; layout: "SPLIT" | "FUNCTION_CALL" | "HEAVY"; agents: string[] }
  | { do: "token"; text: string; channel: Channel; agent?: string; step?: number; side?: 0 | 1 }
  | { do: "spacer" }
  | { do: "keep-alive"; bytes: number }
  | {
      do: "tool";
      id: string;
      tool: string;
      args: Record<string, string>;
      pieces: number;
      agent?: string;
      step?: number;
    }
  | { do: "found"; id: string; web?: WebHit[]; posts?: Post[]; code?: CodeOutput; agent?: string; step?: number }
  | { do: "card"; card: CitationCard }
  | { do: "cite"; card: CitationCard; pieces: number; before: string; after: string }
  | { do: "picture"; cardId: string; query: string; chunk: PictureChunk | null; legacy: boolean }
  | { do: "picture-tag"; cardId: string; file: string }
  | { do: "found-picture"; cardId: string; picture: FoundPicture }
  | { do: "pause"; ms: number }
  | { do: "hang" }
  | { do: "cut" }
  | { do: "fail"; code: number; message: string }
  | { do: "fault"; fault: StreamFault }
  | { do: "soft-stop" }
  | { do: "suggestions" }
  | { do: "final"; extra: string; faults: StreamFault[]; error?: string }
  | { do: "session-ended" }
  | { do: "title"; title: string };
