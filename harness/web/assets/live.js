// The one script: what is marked with data-live is replaced by what the server sends, and
// the page is loaded anew when the server says that there is more to see.
for (const place of document.querySelectorAll("[data-live]")) {
	const source = new EventSource(place.dataset.live);
	source.addEventListener("show", (e) => { place.innerHTML = e.data; });
	source.addEventListener("again", () => { source.close(); location.reload(); });
	source.addEventListener("open", () => { place.classList.remove("stale"); });
	source.addEventListener("error", () => { place.classList.add("stale"); });
	addEventListener("pagehide", () => source.close());
}
addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
