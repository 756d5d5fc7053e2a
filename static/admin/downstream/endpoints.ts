// What stands behind each switch: method, path, one line, and a call that can be pasted into a shell. A table of data.
// Knows no state. Invariant: a switch without a row is still shown, with the words of the schema.

export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly text: readonly [en: string, zh: string];
  /** The rest of a curl after the address and the key. */
  readonly call: string;
}

const json = (body: object): string => `-H "Content-Type: application/json" \\\n  -d '${JSON.stringify(body)}'`;
const hello = [{ role: "user", content: "Hello!" }];

export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  enable_chat_completions: {
    method: "POST",
    path: "/v1/chat/completions",
    text: ["Chat in OpenAI's format, streamed or whole.", "OpenAI 格式的对话，支持流式。"],
    call: json({ model: "grok-4-fast", stream: true, messages: hello }),
  },
  enable_responses: {
    method: "POST",
    path: "/v1/responses",
    text: ["OpenAI's newer format, with stored conversations.", "OpenAI 新版格式，可保存会话。"],
    call: json({ model: "grok-4-fast", stream: true, input: "Hello!" }),
  },
  enable_messages: {
    method: "POST",
    path: "/v1/messages",
    text: ["Chat in Anthropic's format, for Claude clients.", "Anthropic 格式的对话，适用于 Claude 客户端。"],
    call: json({ model: "grok-4-fast", max_tokens: 1024, messages: hello }),
  },
  enable_models: {
    method: "GET",
    path: "/v1/models",
    text: ["The models that can be asked for; most clients read it first.", "可用模型列表，多数客户端会先读取。"],
    call: "",
  },
  enable_images: {
    method: "POST",
    path: "/v1/images/generations",
    text: ["Pictures from text, edits of pictures, uploads.", "文生图、图片编辑与上传。"],
    call: json({ model: "grok-imagine-image", prompt: "a lighthouse at dusk", n: 1 }),
  },
  enable_images_nsfw: {
    method: "POST",
    path: "/v1/images/generations/nsfw",
    text: ["Adult pictures, by accounts with that setting only.", "成人图片，仅使用已开启该设置的账号。"],
    call: json({ model: "grok-imagine-image", prompt: "a portrait", n: 1 }),
  },
  enable_videos: {
    method: "POST",
    path: "/v1/videos",
    text: ["Clips as jobs: begin, ask how far, fetch the file.", "视频任务：创建、查询进度、下载。"],
    call: json({ model: "grok-imagine-video", prompt: "waves at dusk" }),
  },
  enable_audio: {
    method: "POST",
    path: "/v1/audio/speech",
    text: [
      "Text as speech, speech as text (/v1/audio/transcriptions), talk over a socket (/v1/realtime); needs API keys.",
      "文字转语音、语音转文字（/v1/audio/transcriptions）与实时语音（/v1/realtime）；需要 API 密钥。",
    ],
    call: `${json({ model: "grok-tts", input: "Hello!", voice: "eve" })} -o hello.mp3`,
  },
  enable_files: {
    method: "GET",
    path: "/v1/files/{kind}/{name}",
    text: ["Stored pictures and clips behind the links in answers.", "回答中链接指向的图片与视频文件。"],
    call: "",
  },
};
