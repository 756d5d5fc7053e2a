import { afterEach, describe, expect, test } from "bun:test";
import { NEW, PNG, cookies, get, post, read, simulator, stopSimulators, upload } from "./simulator-client.ts";
import type { Json } from "./simulator-client.ts";

afterEach(stopSimulators);

describe("files", () => {
  test("upload, attach, list, get, range, delete", async () => {
    const sim = simulator();
    const uploaded = (await upload(sim, PNG, { file_source: "IMAGINE_SELF_UPLOAD_FILE_SOURCE" }))[
      "fileMetadata"
    ] as Json;
    expect(uploaded).toMatchObject({
      fileMimeType: "image/png",
      fileName: PNG.name,
      fileSource: "IMAGINE_SELF_UPLOAD_FILE_SOURCE",
    });
    const id = String(uploaded["fileMetadataId"]);
    const legacy = (await (
      await post(sim, "/rest/app-chat/upload-file", {
        fileName: "a.txt",
        fileMimeType: "text/plain",
        content: btoa("hello"),
      })
    ).json()) as Json;
    const both = await read(
      await post(sim, NEW, { modeId: "fast", message: "Look", fileAttachments: [id, legacy["fileMetadataId"]] }),
    );
    expect(both.text).toContain("I received 2 attachments.");
    const page = (await (await get(sim, "/rest/assets?pageSize=1")).json()) as {
      assets: Json[];
      nextPageToken?: string;
    };
    expect(page.assets).toHaveLength(1);
    const rest = (await (await get(sim, `/rest/assets?pageSize=1&pageToken=${page.nextPageToken}`)).json()) as {
      assets: Json[];
      nextPageToken?: string;
    };
    expect([rest.assets[0]?.["assetId"], rest.nextPageToken]).toEqual([id, undefined]);
    expect((await (await get(sim, `/rest/assets/${id}`)).json()) as Json).toMatchObject({
      assetId: id,
      sizeBytes: 8,
      isModelGenerated: false,
    });
    const part = await get(sim, `/${String(uploaded["fileUri"])}`, { headers: { range: "bytes=2-4" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 2-4/8"]);
    expect([...new Uint8Array(await part.arrayBuffer())]).toEqual([78, 71, 1]);
    expect((await get(sim, `/${String(uploaded["fileUri"])}`, { headers: { range: "bytes=99-" } })).status).toBe(416);
    expect((await fetch(`${sim.url}/${String(uploaded["fileUri"])}`)).status).toBe(403);
    const remove = (): Promise<Response> =>
      fetch(`${sim.url}/rest/assets-metadata/${id}`, { method: "DELETE", headers: cookies("sim-super-1") });
    expect([(await remove()).status, (await remove()).status]).toEqual([200, 404]);
  });

  test("refused and unfinished uploads", async () => {
    const sim = simulator();
    expect((await upload(sim, new File(["x"], "sim-refused.png")))["terminalError"]).toBeDefined();
    const unfinished = await upload(sim, new File(["x"], "sim-async.png"));
    expect(unfinished["fileMetadata"]).toBeUndefined();
    const used = await read(
      await post(sim, NEW, { modeId: "fast", message: "Hi", fileAttachments: [unfinished["uploadId"]] }),
    );
    expect(used.text).toContain("1 attachment.");
  });
});

describe("pictures and videos over the chat route", () => {
  const videoRequest = (message: string, config: Json): Json => ({
    modelName: "imagine-video-gen",
    message,
    mediaGenInput: { textToVideo: config },
    kind: "CONVERSATION_KIND_IMAGINE",
  });
  const progressOf = (frames: Json[]): Json[] =>
    frames.flatMap((frame) =>
      frame["streamingVideoGenerationResponse"] === undefined
        ? []
        : [frame["streamingVideoGenerationResponse"] as Json],
    );

  test("a video, its file and its neighbours", async () => {
    const sim = simulator();
    const config = { prompt: "A storm", aspectRatio: "16:9", duration: 6, resolutionName: "720p" };
    const { frames, final } = await read(await post(sim, NEW, videoRequest("A storm --mode=custom", config)));
    const steps = progressOf(frames);
    expect(steps.map((step) => step["progress"])).toEqual([1, 5, 16, 33, 50, 66, 94, 95, 100]);
    expect(steps.slice(0, -1).every((step) => step["videoUrl"] === undefined && step["assetId"] === undefined)).toBe(
      true,
    );
    const last = steps.at(-1) ?? {};
    expect(final?.["fileAttachments"]).toEqual([last["assetId"]]);
    const file = await get(sim, `/${String(last["videoUrl"])}`);
    expect(file.headers.get("content-type")).toBe("video/mp4");
    const bytes = Buffer.from(await file.arrayBuffer());
    expect(boxesOf(bytes)).toEqual(["ftyp", "moov", "mdat"]);
    expect((await get(sim, `/${String(last["thumbnailImageUrl"])}`)).headers.get("content-type")).toBe("image/jpeg");
    const upscaled = (await (
      await post(sim, "/rest/media/video/upscale", { videoId: last["videoId"] })
    ).json()) as Json;
    expect(upscaled["hdMediaUrl"]).toBe(`${sim.url}/${String(last["videoUrl"])}`);
    const link = (await (
      await post(sim, "/rest/media/post/create-link", { postId: last["videoPostId"] })
    ).json()) as Json;
    expect(link["shareLink"]).toContain(String(last["videoPostId"]));
  });

  test("moderated and missing videos, refused settings, empty counter", async () => {
    const sim = simulator();
    const config = { prompt: "x", aspectRatio: "2:3", duration: 6, resolutionName: "720p" };
    const ask = async (message: string, change: Json = {}, token = "sim-super-1") =>
      post(sim, NEW, videoRequest(message, { ...config, ...change }), { token });
    const moderated = progressOf((await read(await ask("sim:video-moderated"))).frames).at(-1);
    expect([moderated?.["moderated"], moderated?.["videoUrl"]]).toEqual([true, undefined]);
    const missing = progressOf((await read(await ask("sim:video-missing"))).frames).at(-1);
    expect([missing?.["moderated"], missing?.["videoUrl"]]).toEqual([false, undefined]);
    expect((await ask("x", { duration: 60 })).status).toBe(400);
    expect((await ask("x", { aspectRatio: "7:3" })).status).toBe(400);
    expect((await ask("sim:moderation")).status).toBe(403);
    expect(await (await ask("sim:heavy-usage")).text()).toContain("heavy usage");
    for (const expected of [200, 200, 429]) {
      const response = await ask("x", {}, "sim-basic-1");
      expect(response.status).toBe(expected);
      await response.text();
    }
  });

  test("edits: newest and legacy shape", async () => {
    const sim = simulator();
    const { fileMetadata } = (await upload(sim, PNG)) as { fileMetadata: Json };
    const input = { prompt: "blue", inputAssets: [fileMetadata["fileMetadataId"]] };
    const newest = await read(
      await post(sim, NEW, {
        modelName: "imagine-image-edit",
        message: "blue",
        mediaGenInput: { imageToImage: input },
      }),
    );
    const urls = newest.final?.["generatedImageUrls"] as string[];
    expect(urls).toHaveLength(1);
    expect((await get(sim, `/${urls[0]}`)).status).toBe(200);
    const modelMap = {
      imageEditModel: "imagine",
      imageEditModelConfig: { imageReferences: [`https://assets.grok.com/${String(fileMetadata["fileUri"])}`] },
    };
    const legacy = {
      modelName: "imagine-image-edit",
      message: "red",
      imageGenerationCount: 2,
      responseMetadata: { modelConfigOverride: { modelMap } },
    };
    expect((await read(await post(sim, NEW, legacy))).final?.["generatedImageUrls"]).toHaveLength(2);
    expect(
      (
        await post(sim, NEW, {
          modelName: "imagine-image-edit",
          message: "x",
          mediaGenInput: { imageToImage: { inputAssets: ["no"] } },
        })
      ).status,
    ).toBe(404);
    const created = (await (
      await post(sim, "/rest/media/post/create", { mediaType: "MEDIA_POST_TYPE_VIDEO", prompt: "p" })
    ).json()) as { post: Json };
    expect(created.post["originalPrompt"]).toBe("p");
  });

  test("the old video call", async () => {
    const sim = simulator();
    const modelMap = {
      videoGenModelConfig: { parentPostId: "p", aspectRatio: "16:9", videoLength: 6, resolutionName: "480p" },
    };
    const body = {
      modelName: "grok-3",
      message: "waves --mode=custom",
      toolOverrides: { videoGen: true },
      responseMetadata: { modelConfigOverride: { modelMap } },
    };
    const { frames } = await read(await post(sim, NEW, body));
    expect(progressOf(frames).at(-1)).toMatchObject({ progress: 100, mode: "custom", width: 736, height: 400 });
    expect(frames.filter((frame) => frame["token"] === "").length).toBeGreaterThan(5);
  });
});

function boxesOf(file: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32BE(at)) names.push(file.toString("latin1", at + 4, at + 8));
  return names;
}
