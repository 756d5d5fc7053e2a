// Puts files into a simulated account, as the site's own page would by uploading them.

export interface SiteAccount {
  /** Address of the simulator. */
  readonly url: string;
  readonly token: string;
}

export const uploadToSite = async ({ url, token }: SiteAccount, count: number): Promise<void> => {
  for (let index = 0; index < count; index++) {
    const response = await fetch(`${url}/rest/app-chat/upload-file`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        cookie: `sso=${token}; sso-rw=${token}`,
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/136.0.0.0",
        origin: url,
        referer: `${url}/`,
        "x-statsig-id": "ZTpUeXBlRXJyb3I=",
        "x-xai-request-id": crypto.randomUUID(),
      },
      body: JSON.stringify({
        fileName: `file-${index}.txt`,
        fileMimeType: "text/plain",
        content: btoa(`content ${index}`),
      }),
    });
    if (!response.ok)
      throw new Error(`the simulated site refused an upload: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }
};
