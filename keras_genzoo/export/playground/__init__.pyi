from .opening import NO_DISPLAY as NO_DISPLAY
from .opening import open_page as open_page
from .page import write_playground as write_playground
from .theory import write_theory_page as write_theory_page
