"""What of an operator's CSS reaches the classic pages (spec/http/07 §7.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.classic_css import PROPERTIES, check_css, effective_css
from poolhouse.model import InvalidParameterException

# The template that Cognito's console hands out, in short.
TEMPLATE = """
.logo-customizable {
\tmax-width: 60%;
\tmax-height: 30%;
}
.banner-customizable {
\tpadding: 25px 0px 25px 0px;
\tbackground-color: lightgray;
}
.label-customizable {
\tfont-weight: 400;
}
.textDescription-customizable {
\tpadding-top: 10px;
\tpadding-bottom: 10px;
\tdisplay: block;
\tfont-size: 16px;
}
.legalText-customizable {
\tcolor: #747474;
\tfont-size: 11px;
}
.submitButton-customizable {
\tfont-size: 14px;
\tfont-weight: bold;
\tmargin: 20px 0px 10px 0px;
\theight: 40px;
\twidth: 100%;
\tcolor: #fff;
\tbackground-color: #337ab7;
}
.submitButton-customizable:hover {
\tcolor: #fff;
\tbackground-color: #286090;
}
.errorMessage-customizable {
\tpadding: 5px;
\tfont-size: 14px;
\twidth: 100%;
\tbackground: #F5F5F5;
\tborder: 2px solid #D64958;
\tcolor: #D64958;
}
.inputField-customizable:focus {
\tborder-color: #66afe9;
\toutline: 0;
}
.redirect-customizable {
\ttext-align: center;
}
.passwordCheck-notValid-customizable {
\tcolor: #DF3312;
}
.background-customizable {
\tbackground-color: #fff;
}
"""


def test_the_template_reaches_the_pages_whole():
    """Every declaration of it."""
    css = effective_css(TEMPLATE)
    declarations = [line.strip() for line in TEMPLATE.splitlines() if line.endswith(";")]
    assert len(declarations) > 30
    assert [each for each in declarations if each not in css] == []
    assert "html .submitButton-customizable:hover { color: #fff; background-color: #286090; }\n" in css
    assert css.count("{") == TEMPLATE.count("{")


@pytest.mark.parametrize("selector", PROPERTIES)
def test_each_class_has_its_properties(selector):
    """And none of the other classes' properties."""
    every = set().union(*PROPERTIES.values()) | {"position", "background-image", "--x"}
    css = effective_css(f"{selector} {{ {' '.join(f'{name}: inherit;' for name in sorted(every))} }}")
    kept = "".join(f" {name}: inherit;" for name in sorted(PROPERTIES[selector]))
    assert css == f"html {selector} {{{kept} }}\n"


@pytest.mark.parametrize(
    "value",
    [
        "#fff",
        "rgb(1 2 3 / 50%)",
        "RGBA(0, 0, 0, .5)",
        "calc(100% - (2px + 1em))",
        "1px solid red",
        "red !important",
        "-1px",
    ],
)
def test_plain_values_have_an_effect(value):
    """Words, numbers, colours, and functions that compute them."""
    assert f"color: {value};" in effective_css(f".label-customizable {{ color: {value} }}")


@pytest.mark.parametrize(
    "value",
    [
        "url(https://example.org/x.png)",
        "image-set('x.png' 1x)",
        "image(x)",
        "var(--x)",
        "attr(value)",
        "element(#x)",
        "rgb(1,2,3",
        "1)(",
        "u\\72l(x)",
        "'x'",
        '"x"',
        "a:b",
        "r\u00e9d",
        "url (x)<",
    ],
)
def test_other_values_have_none(value):
    """What fetches, refers to something else, or does not end by itself is accepted but not written."""
    assert effective_css(f".label-customizable {{ color: {value}; font-weight: 700 }}") == (
        "html .label-customizable { font-weight: 700; }\n"
    )


def test_comments_cases_and_lists():
    """Comments count as blanks, names of properties are in any case, a rule may have several selectors."""
    css = "/* a */.label-customizable , .legalText-customizable/*b*/{ COLOR : red; /* ; } { */ ; }"
    assert (
        effective_css(css) == "html .label-customizable { color: red; }\nhtml .legalText-customizable { color: red; }\n"
    )
    assert effective_css(".label-customizable {}") == effective_css("") == effective_css("/**/") == ""
    assert effective_css(".label-customizable:hover { color: red }") == ""


@pytest.mark.parametrize(
    "hidden", ["@im/**/port x;", ".x/**/{}", "<\\/", "/*/", "}", "{", "{}", ".label-customizable{}}"]
)
def test_what_cannot_be_read_is_refused(hidden):
    """Nothing is guessed."""
    with pytest.raises(InvalidParameterException):
        check_css(hidden)


@given(st.text(alphabet="/*{}():;,.@<>\\'\"#-% ab", max_size=60))
def test_nothing_else_gets_out(text):
    """Whatever stands between known names, what comes out is rules of known classes with plain values."""
    try:
        css = effective_css(f".label-customizable {{ color: {text} }}")
    except InvalidParameterException:
        return
    for line in css.splitlines():
        assert line.startswith("html .")
    assert not set(css) & set("@<>\\'\"")
    assert css.count("{") == css.count("}")
    assert css.count("(") == css.count(")")


@pytest.mark.parametrize("part", ["/*", "a", ".a{", "}", ".a,", "/* */.a"])
def test_long_css_is_read_quickly(part):
    """Neither unfinished comments nor blocks make reading slow; this takes an age where it is quadratic."""
    with pytest.raises(InvalidParameterException):
        check_css(part * (131_072 // len(part)))
