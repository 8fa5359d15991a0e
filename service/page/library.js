// What can be searched here, and what may be asked next. Nothing depends on it: where it cannot be had, null is given.

export const getSources = () => call("/v1/sources");
export const getRegions = () => call("/v1/regions");
export const getSuggestions = (body) => call("/v1/suggestions", body);

async function call(path, body = null) {
  try {
    const response = await fetch(path, {
      method: body ? "POST" : "GET",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      cache: "no-store",
    });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
