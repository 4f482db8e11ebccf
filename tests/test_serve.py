"""The web application of `interp serve`: what is answered, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from interp_by_design.run.image_file import ImageReader
from interp_by_design.serve.app import MAX_BYTES, Pages, application

URL = "http://127.0.0.1:8000"
CHROMIUM = Path("/usr/bin/chromium")
FACTS = {"title": "digits: a", "wanted": "PNG"}


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 10), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 255 if mode == "L" else (255, 255, 255)).save(file, kind)
    return file.getvalue()


def explanation(content: bytes) -> Mapping[str, Any]:
    image = ImageReader((1, 8, 8)).decode(content)
    return {"mean": float(image.mean()), "shape": list(image.shape)}


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "report.html").write_text("<html><body>the report </body></html>")
    (tmp_path / "secret.txt").write_text("secret")
    return Pages(tmp_path / "report.html", FACTS, explanation)


@pytest.fixture
def client(pages: Pages) -> TestClient:
    return TestClient(
        application(pages, ["127.0.0.1", "localhost", "::1"]), URL, raise_server_exceptions=False
    )


def refused(answer: Any, status: int, words: str) -> bool:
    return answer.status_code == status and words in answer.json()["error"]


# ---------------------------------------------------------------------- pages
def test_the_report_is_served_with_a_way_to_explain_images(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.text.startswith('<html><body>the report <a href="/explain"')
    assert answer.text.endswith("</a></body></html>")


def test_a_report_that_is_made_later_is_seen(client: TestClient, pages: Pages) -> None:
    pages.path.unlink()
    answer = client.get("/")
    assert f"interp report {pages.path.parent}" in answer.text
    pages.path.write_text("no body at all")
    assert client.get("/").text == "no body at all"


def test_a_folder_name_is_no_markup(tmp_path: Path) -> None:
    folder = tmp_path / "<script>alert(1)<script> x"
    folder.mkdir()
    client = TestClient(
        application(Pages(folder / "report.html", FACTS, explanation), ["127.0.0.1"]), URL
    )
    assert "<script>" not in client.get("/").text
    assert "&lt;script&gt;" in client.get("/").text


def test_the_page_for_images_may_run_its_own_script_alone(client: TestClient) -> None:
    policy = client.get("/explain").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'sha256-" in policy
    assert client.get("/facts").json() == FACTS


@pytest.mark.parametrize("path", ["/", "/explain", "/facts", "/nowhere"])
def test_every_answer_is_guarded(path: str, client: TestClient) -> None:
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


# ---------------------------------------------------------------------- images
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_an_image_is_explained_by_its_content_under_any_name(kind: str, client: TestClient) -> None:
    answer = client.post("/explain", content=picture(kind), headers={"content-type": "text/plain"})
    assert answer.json() == {"mean": pytest.approx(1, abs=0.02), "shape": [1, 8, 8]}


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "No image came"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "no image of a known kind"),
        (b"\x89PNG\r\n\x1a\n", 415, "no image of a known kind"),
        (picture("TIFF"), 415, "no image of a known kind"),
        (picture("PDF"), 415, "no image of a known kind"),
        (picture(size=(300, 300))[:120], 415, "damaged"),
        (picture("JPEG", size=(300, 300))[:700], 415, "damaged"),
        (bytes(MAX_BYTES + 1), 413, "larger than 10 MB"),
    ],
)
def test_what_is_no_image_is_refused_in_words(
    content: bytes, status: int, words: str, client: TestClient
) -> None:
    assert refused(client.post("/explain", content=content), status, words)


def header_of(width: int, height: int) -> bytes:
    """A whole PNG, of few bytes, that says it has so many pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [7100, 60_000])
def test_an_image_that_would_fill_the_memory_is_refused_before_it_is_decoded(
    side: int, client: TestClient
) -> None:
    assert refused(client.post("/explain", content=header_of(side, side)), 415, "too many pixels")


def test_a_body_is_refused_before_it_is_read_whole(client: TestClient) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield bytes(1_000_000)

    asked: list[bytes] = []
    app = application(
        Pages(Path("none"), FACTS, lambda content: asked.append(content) or {}), ["127.0.0.1"]
    )
    answer = TestClient(app, URL).post("/explain", content=endless())
    assert refused(answer, 413, "larger than 10 MB")
    assert not asked
    assert refused(
        client.post("/explain", content=b"x", headers={"content-length": "10000001"}), 413, "larger"
    )
    assert refused(
        client.post("/explain", content=b"x", headers={"content-length": "-1"}), 413, "larger"
    )


def test_a_failure_of_ours_is_reported_without_its_trace(tmp_path: Path) -> None:
    def broken(content: bytes) -> Mapping[str, Any]:
        raise RuntimeError("inside")

    client = TestClient(
        application(Pages(tmp_path / "r", FACTS, broken), ["127.0.0.1"]),
        URL,
        raise_server_exceptions=False,
    )
    answer = client.post("/explain", content=picture())
    assert refused(answer, 500, "its terminal says what")
    assert "inside" not in answer.text


# ---------------------------------------------------------------------- hostile requests
@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//etc/passwd",
        "/explain/../../etc/passwd",
        "/%00",
    ],
)
def test_no_path_of_a_request_reaches_the_disk(path: str, client: TestClient) -> None:
    answer = client.get(path)
    assert refused(answer, 404, "There is no such page")
    assert "secret" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(method: str, client: TestClient) -> None:
    assert refused(
        client.request(method, "/explain", content=picture()), 405, "does not take that kind"
    )


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8000",
        "",
        "127.0.0.1@evil.example",
        "[::1",
        "a b",
    ],
)
def test_another_host_is_refused(host: str, client: TestClient) -> None:
    for method in ("GET", "POST"):
        assert refused(
            client.request(method, "/explain", headers={"host": host}),
            400,
            "This server answers to",
        )


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000"])
def test_the_names_of_this_machine_are_answered(host: str, client: TestClient) -> None:
    assert client.get("/facts", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8001"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_an_image_from_a_page_of_another_origin_is_refused(
    headers: dict[str, str], client: TestClient
) -> None:
    assert refused(
        client.post("/explain", content=picture(), headers=headers), 403, "another origin"
    )


def test_an_image_from_its_own_page_or_from_no_page_is_taken(client: TestClient) -> None:
    own = {"origin": URL, "sec-fetch-site": "same-origin"}
    assert client.post("/explain", content=picture(), headers=own).status_code == 200
    assert client.post("/explain", content=picture()).status_code == 200


def test_who_listens_on_all_addresses_answers_to_addresses_and_no_foreign_name(
    pages: Pages,
) -> None:
    client = TestClient(application(pages, ["localhost"], addresses=True), URL)
    assert client.get("/facts", headers={"host": "192.168.1.7:8000"}).status_code == 200
    assert client.get("/facts", headers={"host": "[fe80::1]:8000"}).status_code == 200
    assert refused(
        client.get("/facts", headers={"host": "evil.example"}), 400, "answers to localhost"
    )
