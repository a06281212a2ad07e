from .dataset import draw_dataset as draw_dataset
from .smears import Smear as Smear
from .smears import demo_smears as demo_smears
from .smears import render as render
from .style import SmearStyle as SmearStyle
