from .api import count as count
from .api import count_folder as count_folder
from .api import predict as predict
from .detections.detections import Detections as Detections
from .detector.detector import Detector as Detector
from .detector.load import load_detector as load_detector
from .detector.model_card import ModelCard as ModelCard
from .detector.scale import Scale as Scale
from .errors import DataError as DataError
from .errors import DownloadError as DownloadError
from .errors import ImageError as ImageError
from .errors import ModelError as ModelError
from .errors import SmearcountError as SmearcountError
from .errors import UsageError as UsageError
from .errors import WriteError as WriteError
from .image.image import SmearImage as SmearImage
from .image.read import open_image as open_image
from .results.batch_result import BatchResult as BatchResult
from .results.image_outcome import ImageOutcome as ImageOutcome
from .results.result import CountResult as CountResult
from .settings import EdgeRule as EdgeRule
from .settings import Settings as Settings

__version__: str
