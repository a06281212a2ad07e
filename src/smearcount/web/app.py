"""The web application: its routes, each a few lines around the session."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from smearcount import __version__
from smearcount.detector.detector import Detector
from smearcount.errors import SmearcountError, WriteError
from smearcount.results.stored import StoredResult
from smearcount.web.correction_log import OutdatedError
from smearcount.web.downloads import WRITERS, name_of_download
from smearcount.web.photographs import Photograph, UnknownPhotographError
from smearcount.web.responses import (
    corrected_body,
    photograph_body,
    photograph_row,
    session_body,
)
from smearcount.web.schema import (
    CorrectedBody,
    CorrectionBody,
    LeftOutBody,
    PhotographBody,
    PhotographRow,
    PixelSizeBody,
    Problem,
    SessionBody,
    SettingsBody,
)
from smearcount.web.security import SecurityMiddleware
from smearcount.web.session import Session
from smearcount.web.upload import UPLOAD_LIMIT_BYTES, TooLargeError, receive
from smearcount.web.worker import Worker

STATIC = Path(__file__).parent / "static"
UPLOAD_PATH = "/api/photographs"

Identity = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]


def create_app(
    session_folder: Path,
    detector: Detector,
    hosts: Iterable[str] = (),
    model: Path | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        session_folder: where photographs, results and corrections are kept; made if need be.
        detector: finds the cells.
        hosts: further host names under which the server may be addressed.
        model: the detector's file; None for the one that ships.

    Raises:
        UsageError: the folder cannot hold a session, or another server has it open.
        DataError: the corrections in it are damaged.
    """
    session = Session(session_folder, detector.card, model)
    worker = Worker(session, detector)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        await run_in_threadpool(worker.stop)
        session.close()

    refusals = {status: {"model": Problem} for status in (400, 403, 404, 409, 411, 412, 413, 507)}
    app = FastAPI(
        title="smearcount",
        version=__version__,
        docs_url=None,  # the documentation page would load assets from another host
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
        responses=refusals,  # type: ignore[arg-type]
    )
    app.add_middleware(
        SecurityMiddleware,
        hosts=tuple(hosts),
        upload_path=UPLOAD_PATH,
        session_id=session.folder.id,
    )
    _answer_errors(app)
    _route_session(app, session)
    _route_photographs(app, session)
    _route_downloads(app, session)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return app


def _answer_errors(app: FastAPI) -> None:
    def answer(status: int) -> Callable[..., Response]:
        return lambda _, error: JSONResponse({"detail": str(error)}, status)

    # The status of the most specific class of an error is taken.
    app.add_exception_handler(SmearcountError, answer(400))
    app.add_exception_handler(UnknownPhotographError, answer(404))
    app.add_exception_handler(OutdatedError, answer(409))
    app.add_exception_handler(TooLargeError, answer(413))
    app.add_exception_handler(WriteError, answer(507))
    app.add_exception_handler(
        OSError,
        lambda _, error: JSONResponse({"detail": f"The disk does not take it ({error})."}, 507),
    )


def _route_session(app: FastAPI, session: Session) -> None:
    @app.get("/api/session")
    def read_session(since: Annotated[int, Query(ge=-1)] = -1) -> SessionBody:
        """Return the session, or what changed of it since a revision."""
        return session_body(session, since, UPLOAD_LIMIT_BYTES)

    @app.put("/api/settings")
    def write_settings(body: SettingsBody) -> SettingsBody:
        """Change thresholds, edge rule and pixel size."""
        session.change_settings(body.settings())
        return body

    @app.post("/api/cancel", status_code=204)
    def cancel() -> None:
        """Count none of the photographs that wait, and stop counting the present one."""
        session.cancel()

    @app.post("/api/resume", status_code=204)
    def resume() -> None:
        """Count the canceled photographs after all."""
        session.resume()


def _route_photographs(app: FastAPI, session: Session) -> None:
    body = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}

    @app.post(
        UPLOAD_PATH,
        status_code=201,
        responses={200: {"model": PhotographRow}},
        openapi_extra={"requestBody": body | {"required": True}},
    )
    async def add_photograph(
        request: Request, response: Response, name: Annotated[str, Query(max_length=2000)]
    ) -> PhotographRow:
        """Take in a photograph: the bytes of the file are the body."""
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > UPLOAD_LIMIT_BYTES:
            raise TooLargeError
        try:
            upload, sha256 = await receive(request.stream(), session.folder.incoming)
        except ClientDisconnect:
            raise HTTPException(400, "The upload was broken off.") from None
        photograph, new = await run_in_threadpool(session.add, upload, name, sha256)
        response.status_code = 201 if new else 200
        return await run_in_threadpool(photograph_row, session, photograph)

    @app.get("/api/photographs/{identity}")
    def read_photograph(identity: Identity) -> PhotographBody:
        """Return everything about a photograph that was counted."""
        return photograph_body(session, *_counted(session, identity))

    @app.delete("/api/photographs/{identity}", status_code=204)
    def remove_photograph(identity: Identity) -> None:
        """Remove a photograph from the session."""
        session.remove(identity)

    @app.delete("/api/photographs", status_code=204)
    def remove_all_photographs() -> None:
        """Remove every photograph from the session."""
        session.remove_all()

    @app.put("/api/photographs/{identity}/left-out", status_code=204)
    def leave_out(identity: Identity, body: LeftOutBody) -> None:
        """Leave a photograph out of totals and exports, or take it in again."""
        session.leave_out(identity, body.left_out)

    @app.put("/api/pixel-size", status_code=204)
    def set_pixel_size(body: PixelSizeBody) -> None:
        """Give some photographs a pixel size of their own."""
        session.set_pixel_size(body.photographs, body.pixel_size_um)

    @app.post("/api/photographs/{identity}/corrections")
    def correct(identity: Identity, body: CorrectionBody) -> CorrectedBody:
        """Append a correction; once answered, it is on the disk."""
        photograph, stored = _counted(session, identity)
        if (body.kind == "edit") != bool(body.remove or body.add):
            raise HTTPException(400, "An edit removes or adds cells; undo and redo do not.")
        session.correct(identity, body.after, body.kind, body.remove, body.add)
        return corrected_body(session, photograph, stored)

    @app.get("/api/photographs/{identity}/tiles/{level}/{tile}.jpg")
    def read_tile(
        identity: Identity,
        level: Annotated[int, InPath(ge=0, le=30)],
        tile: Annotated[str, InPath(pattern="^[0-9]{1,5}_[0-9]{1,5}$")],
    ) -> FileResponse:
        """Return one tile of the pyramid as JPEG."""
        return _picture(session, identity, f"{level}/{tile}.jpg")

    @app.get("/api/photographs/{identity}/thumbnail.jpg")
    def read_thumbnail(identity: Identity) -> FileResponse:
        """Return a small picture of the photograph as JPEG."""
        return _picture(session, identity, "thumbnail.jpg")


def _route_downloads(app: FastAPI, session: Session) -> None:
    @app.get("/api/downloads/{name}")
    def download(name: str) -> FileResponse:
        """Return one of the files that can be downloaded."""
        if name not in WRITERS:
            raise HTTPException(404, f"The files to download are {', '.join(WRITERS)}.")
        media_type, write = WRITERS[name]
        saved_as = name_of_download(session, name)
        return _download(saved_as, media_type, lambda path: write(session, path))

    @app.get("/api/photographs/{identity}/annotated.png")
    def read_annotated(identity: Identity) -> FileResponse:
        """Return the photograph with its boxes and counts drawn in."""
        photograph, _ = _counted(session, identity)
        result = session.corrected_result(photograph)
        if result is None:
            raise UnknownPhotographError
        name = f"{Path(photograph.name).stem}.annotated.png"
        return _download(name, "image/png", lambda path: result.draw().save(path, format="PNG"))


def _counted(session: Session, identity: str) -> tuple[Photograph, StoredResult]:
    photograph = session.photographs.get(identity)
    if photograph.stored is None:
        raise HTTPException(404, "This photograph is not counted yet.")
    return photograph, photograph.stored


def _picture(session: Session, identity: str, name: str) -> FileResponse:
    path = session.folder.tiles(session.photographs.get(identity)) / name
    if not path.is_file():
        raise HTTPException(404, "There is no such picture yet.")
    return FileResponse(path, headers={"Cache-Control": "private, max-age=31536000, immutable"})


def _download(name: str, media_type: str, write: Callable[[Path], object]) -> FileResponse:
    folder = Path(tempfile.mkdtemp(prefix="smearcount-"))
    path = folder / "file"
    try:
        write(path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        path,
        media_type=media_type,
        filename=name,
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )
